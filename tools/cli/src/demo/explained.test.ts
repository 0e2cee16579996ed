import { describe, expect, it } from '@jest/globals';
import type { ApiClient } from '@perennial/client';
import { AppError } from '@perennial/kernel';
import { findExplained } from './explained.js';

const KNOWN = { traits: [], features: {}, timeZone: '', lastEventAt: null, reported: null };

interface Fate {
  /** Strategy now, or a step that keeps everything from acting. */
  readonly now: string;
  readonly entered?: string;
}

/** Fates by user; a user without one has no stage. */
function createClient(fates: Readonly<Record<string, Fate>>) {
  const asked: string[] = [];
  const call = async (name: string, { path, body }: { path: { userId: string }; body?: { entered: boolean } }) => {
    const fate = fates[path.userId];
    if (name === 'getKnownProfile') return KNOWN;
    if (name === 'getProfile') {
      if (path.userId === 'gone') throw new AppError('dependency_unavailable', 'scoring is away');
      return { stage: fate === undefined ? null : 'new', since: null, scores: null, segments: [] };
    }
    asked.push(`${path.userId}${body?.entered ? ' entered' : ''}`);
    const what = (body?.entered ? fate?.entered : undefined) ?? fate?.now ?? '';
    const isStep = ['eligible', 'suppressed', 'arm'].includes(what);
    const action = isStep ? null : { strategy: what, reasons: ['is new'], dueAt: null, expiresAt: '' };
    return { userId: path.userId, action, nothing: isStep ? { step: what, reason: 'r' } : null, steps: [] };
  };
  return { asked, client: { call } as unknown as ApiClient };
}

const toUsers = (asked: ReadonlyArray<{ explanation: { userId: string } }>) =>
  asked.map((one) => one.explanation.userId);

describe('findExplained', () => {
  it('chooses three actions of different strategies, and the reason of the latest step against one', async () => {
    const { client, asked } = createClient({
      a: { now: 'offer' },
      b: { now: 'offer' },
      c: { now: 'suppressed' },
      d: { now: 'thanks' },
      e: { now: 'arm' },
      f: { now: 'eligible' },
      g: { now: 'reminder' },
    });
    const { decided, whyNot } = await findExplained(client, ['a', 'b', 'stranger', 'c', 'd', 'e', 'f', 'g']);
    expect(toUsers(decided)).toEqual(['a', 'd', 'g']);
    expect(whyNot?.explanation.userId).toBe('e');
    expect(asked.some((one) => one.endsWith('entered'))).toBe(false);
  });

  it('asks as if users had entered their stages where too few would get something now, none twice', async () => {
    const { client } = createClient({
      a: { now: 'offer' },
      b: { now: 'eligible', entered: 'offer' },
      c: { now: 'eligible', entered: 'thanks' },
      d: { now: 'suppressed' },
    });
    const { decided, whyNot } = await findExplained(client, ['a', 'b', 'c', 'd']);
    expect(toUsers(decided)).toEqual(['a', 'c', 'b']);
    expect(decided.map(({ entered }) => entered)).toEqual([false, true, true]);
    expect(whyNot).toMatchObject({ entered: false, explanation: { userId: 'd' } });
  });

  it('finds nothing for nobody, and hides no failure', async () => {
    const { client } = createClient({});
    expect(await findExplained(client, ['stranger'])).toEqual({ decided: [], whyNot: undefined });
    await expect(findExplained(client, ['gone'])).rejects.toThrow('scoring is away');
  });
});
