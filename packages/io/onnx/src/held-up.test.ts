import { describe, expect, it } from '@jest/globals';
import { PROBATION_REQUESTS } from './lanes.js';
import { heldMsMax, RUN_LIMITS, SLOW_RUN_CPU_MS } from './limits.js';
import { createMicroBatcher } from './micro-batch.js';
import type { RunResult } from './results.js';

/*
 * Partitions that score without rest, in time that is counted and not passed: what rows that hang or are slow on some of
 * them cost the others. A row is one number: 1 is scored, the others are named below.
 */

const SOUND = 1;
const HANGS = 2;
const SLOW = 3;
/** An ordinary run, a slow one, and the start of a process. */
const RUN_MS = 10;
const SLOW_MS = 1_500;
const START_MS = 600;
const UNTIL_MS = 40_000;

/** Time that passes only when nothing is left to do. */
class VirtualClock {
  nowMs = 0;
  readonly #alarms: Array<{ readonly atMs: number; readonly wake: () => void }> = [];

  pass(ms: number): Promise<void> {
    const atMs = this.nowMs + ms;
    return new Promise((wake) => {
      const place = this.#alarms.findIndex((alarm) => alarm.atMs > atMs);
      this.#alarms.splice(place < 0 ? this.#alarms.length : place, 0, { atMs, wake });
    });
  }

  async runUntil(untilMs: number): Promise<void> {
    for (;;) {
      // The batcher itself waits for one of these.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      const next = this.#alarms.shift();
      if (next === undefined || next.atMs > untilMs) return;
      this.nowMs = next.atMs;
      next.wake();
    }
  }
}

/** A process as the scheduler sees it: a run that hangs costs its whole budget, the next one the start of another. */
function createProcess(clock: VirtualClock, { isStarted }: { readonly isStarted: boolean }) {
  let isAlive = isStarted;
  return async (rows: Float32Array): Promise<RunResult> => {
    if (!isAlive) await clock.pass(START_MS);
    isAlive = !rows.includes(HANGS);
    await clock.pass(isAlive ? (rows.includes(SLOW) ? SLOW_MS : RUN_MS) : RUN_LIMITS.runCpuMsMax);
    if (!isAlive) return { failure: { reason: 'time', message: 'hangs' } };
    return { results: rows.map(() => 1), cpuMs: rows.includes(SLOW) ? SLOW_MS : 0 };
  };
}

/** Waits of each partition's requests in ms, ascending; the partitions send the rows that `toRow` gives for the nth time. */
async function scoreFor(
  partitions: number,
  toRow: (partition: number, request: number) => number,
): Promise<readonly number[][]> {
  const clock = new VirtualClock();
  const score = createMicroBatcher(
    { together: createProcess(clock, { isStarted: true }), apart: createProcess(clock, { isStarted: false }) },
    { features: 1, heads: 1 },
  );
  const waits = Array.from({ length: partitions }, (): number[] => []);
  for (const [partition, found] of waits.entries()) {
    void (async () => {
      for (let request = 0; ; request++) {
        const startMs = clock.nowMs;
        const rows = Float32Array.from({ length: 20 }, (_, row) => (row === 7 ? toRow(partition, request) : SOUND));
        const { failures } = await score(rows, String(partition));
        if (failures.size !== (rows[7] === HANGS ? 1 : 0)) throw new Error('a wrong row has no score');
        found.push(clock.nowMs - startMs);
      }
    })();
  }
  await clock.runUntil(UNTIL_MS);
  return waits.map((found) => found.sort((a, b) => a - b));
}

const toP99 = (waits: readonly number[]) => waits[Math.floor(waits.length * 0.99)] ?? Number.POSITIVE_INFINITY;

describe('partitions beside one whose rows trouble the model', () => {
  it.each([
    ['a row of one hangs in each request', 8, (partition: number) => (partition === 3 ? HANGS : SOUND), 1],
    [
      'a row of one hangs now and then',
      8,
      (partition: number, request: number) => (partition === 3 && request % 50 === 0 ? HANGS : SOUND),
      1,
    ],
    ['rows of three hang', 12, (partition: number) => (partition < 3 ? HANGS : SOUND), 3],
    ['rows of one are slow', 4, (partition: number) => (partition === 0 ? SLOW : SOUND), 1],
  ])('wait for a bounded time: %s', async (_, partitions, toRow, troubled) => {
    const waits = await scoreFor(partitions, toRow);
    const limitMs = heldMsMax(RUN_LIMITS, { troubled, startMs: START_MS }) + partitions * RUN_MS;
    const others = waits.filter((__, partition) => toRow(partition, 0) === SOUND);
    expect(others).toHaveLength(partitions - troubled);
    for (const found of others) {
      // As many as alone, but for the one time that they were held up.
      expect(found.length).toBeGreaterThan((0.98 * (UNTIL_MS - limitMs)) / RUN_MS - PROBATION_REQUESTS);
      expect(toP99(found)).toBeLessThanOrEqual(2 * RUN_MS);
      expect(found.at(-1)).toBeLessThanOrEqual(limitMs);
    }
  });

  it('takes turns among partitions in trouble: none waits for all the tries of another', async () => {
    const waits = await scoreFor(4, (partition, request) => (partition < 2 && request % 4 === 0 ? HANGS : SOUND));
    for (const found of waits.slice(0, 2)) expect(found.length).toBeGreaterThan(UNTIL_MS / 20_000);
    // The whole, the group and the row alone, of both.
    const limitMs = 7 * (RUN_LIMITS.runCpuMsMax + START_MS) + 40 * RUN_MS;
    for (const found of waits.slice(0, 2)) expect(found.at(-1)).toBeLessThanOrEqual(limitMs);
  });

  it('stays together where every row of the model is slow', async () => {
    expect(SLOW_MS).toBeGreaterThan(SLOW_RUN_CPU_MS);
    const waits = await scoreFor(6, () => SLOW);
    // Alone, six partitions would each have a sixth of the runs.
    for (const found of waits) expect(found.length).toBeGreaterThan((0.9 * UNTIL_MS) / (2 * SLOW_MS));
  });
});
