import { afterEach, describe, expect, it } from '@jest/globals';
import { fuzz } from './fuzz.js';
import { FuzzThread } from './fuzz-thread.js';
import { TARGETS } from './targets.js';

const CASE_MS_MAX = 3_000;
/** The second case of a range hangs, ends the thread or throws in it, as the target's name says. */
const WORKER = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort, workerData } from 'node:worker_threads';
    parentPort.on('message', ({ target, first, count }) => {
      for (let seed = first; seed < first + count; seed++) {
        Atomics.store(workerData, 0, seed - first);
        if (seed !== 2) continue;
        if (target === 'hangs') for (;;);
        if (target === 'ends') process.exit(3);
        if (target === 'throws') throw new Error('out of nowhere');
      }
      parentPort.postMessage({ cases: count, counts: { fine: count }, failures: [] });
    });`)}`,
);

const TIMEOUT_MS = 240_000;

const threads: FuzzThread[] = [];
const createThread = () => {
  const thread = new FuzzThread({ file: WORKER, caseMsMax: CASE_MS_MAX });
  threads.push(thread);
  return thread;
};

afterEach(async () => {
  await Promise.all(threads.splice(0).map((thread) => thread.close()));
});

describe('a thread of the fuzzer', () => {
  it.each([
    ['hangs', `did not end within ${CASE_MS_MAX} ms`],
    ['ends', 'ended the thread with code 3'],
    ['throws', 'out of nowhere'],
  ])(
    'names the case that %s, and goes on with others',
    async (target, problem) => {
      const thread = createThread();
      const { cases, failures } = await thread.run({ target, first: 1, count: 5 });
      expect({ cases, failures }).toEqual({
        cases: 2,
        failures: [{ target, seed: 2, problem: expect.stringContaining(problem) }],
      });
      expect(await thread.run({ target, first: 3, count: 5 })).toEqual({ cases: 5, counts: { fine: 5 }, failures: [] });
      expect(await thread.run({ target, first: 8, count: 2 })).toMatchObject({ cases: 2 });
    },
    TIMEOUT_MS,
  );
});

describe('a run of the fuzzer', () => {
  it('runs the same seeds of every target, each once', async () => {
    const report = await fuzz({ targets: ['a', 'b'], first: 10, count: 120, createThread });
    expect(report).toEqual({
      cases: { a: 120, b: 120 },
      counts: { a: { fine: 120 }, b: { fine: 120 } },
      failures: [],
    });
  });

  it.each(Object.entries(TARGETS))(
    'comes to the same for the same seed, and to more than one result: %s',
    async (_, target) => {
      const results = new Set<string>();
      for (let seed = 1; seed <= 20; seed++) {
        const first = await target.run(seed);
        expect(await target.run(seed)).toEqual(first);
        for (const result of first.results) results.add(result);
      }
      expect(results.size).toBeGreaterThan(1);
    },
    TIMEOUT_MS,
  );
});
