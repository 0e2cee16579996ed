import { describe, expect, it } from '@jest/globals';
import { createStoredStates, LEDGER_KEY, type LedgerEntry } from '@perennial/identity';
import { systemClock } from '@perennial/kernel';
import type { IdPair } from './circles.js';
import { Partings, waitUntilParted } from './partings.js';

const STATES = createStoredStates<object>({ encode: () => Buffer.alloc(0), decode: () => ({}) });
const PROFILE = { key: 'k', strength: 1, subject: Buffer.alloc(0) };

function toLedger(state: LedgerEntry['state']): Buffer {
  const change = {
    id: 'c',
    kind: 'unmerge',
    weaker: PROFILE,
    stronger: PROFILE,
    by: 'b',
    reason: '',
    atMs: 0,
  } as const;
  const entries = [{ number: 3, change, state, attempt: 2, atMs: 0 }];
  return STATES.encode({ node: { kind: 'ledger', number: 3, entries, document: '' }, profile: undefined });
}

describe('parting people under faults', () => {
  it('asks by the command, once for a pair that it has taken, and goes on after a failure', async () => {
    const pairs: Array<IdPair | undefined> = [undefined, ['a', 'b'], ['a', 'b'], ['a', 'b'], ['a', 'c']];
    const ran: string[] = [];
    const fleet = {
      async runCommand(service: string, args: readonly string[]) {
        ran.push(`${service} ${args.join(' ')}`);
        if (ran.length === 1) throw new Error('not joined');
        return '';
      },
    };
    const partings = new Partings({ fleet, drawPair: () => pairs.shift() });
    for (let time = 0; time < 5; time++) await partings.ask().catch(() => undefined);
    expect(ran).toEqual([
      'feature-store identities unmerge a b --by chaos',
      'feature-store identities unmerge a b --by chaos',
      'feature-store identities unmerge a c --by chaos',
    ]);
  });

  it('waits for the ledger, also as the next release writes it, and names what does not end', async () => {
    const running = toLedger('running');
    const next = Buffer.concat([Buffer.of((running[0] ?? 0) | 0x80), running.subarray(1), Buffer.of(7)]);
    const read: Array<Buffer | null> = [running, next, toLedger('waiting'), toLedger('done')];
    const keys: string[] = [];
    const waitFor = async (states: Array<Buffer | null>) => {
      let nowMs = 0;
      const wait = async (ms: number) => {
        nowMs += ms;
      };
      const clock = { ...systemClock, steadyMs: () => nowMs, wait };
      const hgetBuffer = async (_states: unknown, key: unknown) => {
        keys.push(String(key));
        return (states.length > 1 ? states.shift() : states[0]) ?? null;
      };
      await waitUntilParted({ hgetBuffer } as never, { namespace: 'n', partitions: 3, clock });
    };
    await waitFor(read);
    expect(read).toHaveLength(1);
    expect(keys[0]).toBe(LEDGER_KEY);
    await waitFor([null]);
    await expect(waitFor([running])).rejects.toThrow('unmerges that do not end: 3 (running, attempt 2)');
  });
});
