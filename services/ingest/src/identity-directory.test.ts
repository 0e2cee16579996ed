import { describe, expect, it } from '@jest/globals';
import { INITIAL_RULES } from '@perennial/identity';
import { startIdentityDirectory } from './identity-directory.js';
import { eventually, FakeClock } from './testing/fakes.js';

const WITH_EMAIL = 'version: 1\nkinds: { email: { strength: 200, read: [traits.email] } }\n';
const REFRESH_MS = 10_000;

describe('rules about ids in ingest', () => {
  it('are those rolled out last, within ten seconds, and stay while they cannot be read', async () => {
    const contents = new Map([['a', WITH_EMAIL]]);
    let hash: string | undefined;
    const store = {
      currentHash: async () => hash,
      load: async (wanted: string) => {
        const content = contents.get(wanted);
        if (content === undefined) throw new Error('it is not there');
        return content;
      },
    };
    const errors: unknown[] = [];
    const clock = new FakeClock();
    const reported = new Map<string, string | undefined>();
    const directory = await startIdentityDirectory(store, {
      ...{ partitions: 2, clock, ...toReader(reported) },
      onError: (error) => errors.push(error),
    });
    expect(directory.current()).toBe(INITIAL_RULES);
    expect(reported).toEqual(new Map([['one', undefined]]));
    hash = 'a';
    clock.move(REFRESH_MS);
    await eventually(() =>
      expect(directory.current().kinds.map(({ name }) => name)).toEqual(['user', 'email', 'anonymous']),
    );
    await eventually(() => expect(reported.get('one')).toBe('a'));
    expect(directory.hash()).toBe('a');
    hash = 'gone';
    clock.move(REFRESH_MS);
    await eventually(() => expect(errors).toHaveLength(1));
    expect(directory.current().kindOf(200)?.name).toBe('email');
    expect(reported.get('one')).toBe('a');
    await directory.stop();
    expect(reported.size).toBe(0);
  });

  it('are said before others are looked for, however long that takes', async () => {
    const reported = new Map<string, string | undefined>();
    const known: Array<readonly [string, string | undefined]>[] = [];
    const load = async () => {
      known.push([...reported]);
      return WITH_EMAIL;
    };
    const options = { partitions: 2, clock: new FakeClock(), onError: () => undefined, ...toReader(reported) };
    const directory = await startIdentityDirectory({ currentHash: async () => 'a', load }, options);
    expect(known).toEqual([[['one', undefined]]]);
    await directory.stop();
  });

  it('are known before the first event: a start waits for them, and fails in the end', async () => {
    let attempts = 0;
    const clock = new SlowClock();
    const load = async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('it is not there');
      return WITH_EMAIL;
    };
    const options = { partitions: 2, clock, onError: () => undefined, ...toReader(new Map()) };
    const gone = { currentHash: async () => 'gone', load: async () => Promise.reject(new Error('it is not there')) };
    await expect(startIdentityDirectory(gone, options)).rejects.toThrow('it is not there');
    const directory = await startIdentityDirectory({ currentHash: async () => 'a', load }, options);
    expect([attempts, directory.current().kindOf(200)?.name]).toEqual([3, 'email']);
    await directory.stop();
  });
});

function toReader(reported: Map<string, string | undefined>) {
  const report = async (instance: string, hash: string | undefined) => void reported.set(instance, hash);
  return { instance: 'one', readers: { report, forget: async (instance: string) => void reported.delete(instance) } };
}

/** Waits of a start end at once; those until the next refresh do not. */
class SlowClock extends FakeClock {
  override wait(ms: number, signal?: AbortSignal): Promise<void> {
    return ms < REFRESH_MS ? Promise.resolve() : super.wait(ms, signal);
  }
}
