import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { scoreIsolated } from './isolate.js';
import { LOST_PROCESSES_MAX } from './limits.js';
import { createMicroBatcher } from './micro-batch.js';
import type { FailureReason, RunResult } from './results.js';

/*
 * Rows of one number, which says what the graph does with it: 0 to 9 is scored as its double, a fault makes every run with
 * it fail.
 */

const FAULTS: Readonly<Record<number, FailureReason>> = {
  90: 'error',
  91: 'memory',
  92: 'shape',
  93: 'time',
  94: 'crash',
};
const WIDTHS = { features: 1, heads: 1 };

function createGraph() {
  const runs: number[] = [];
  const run = async (rows: Float32Array): Promise<RunResult> => {
    runs.push(rows.length);
    const reason = [...rows].map((value) => FAULTS[value]).find((fault) => fault !== undefined);
    return reason === undefined
      ? { results: rows.map((value) => 2 * value) }
      : { failure: { reason, message: `${reason} of the graph` } };
  };
  return { runs, run };
}

/** What each row comes to by itself. */
const toExpected = (rows: readonly number[]) => ({
  results: rows.map((value) => (FAULTS[value] === undefined ? 2 * value : Number.NaN)),
  failures: rows.flatMap((value, row): Array<[number, FailureReason]> => {
    const reason = FAULTS[value];
    return reason === undefined ? [] : [[row, reason]];
  }),
});

const cleanRow = fc.integer({ min: 0, max: 9 });
const faultyRow = fc.oneof({ weight: 9, arbitrary: cleanRow }, { weight: 1, arbitrary: fc.constantFrom(90, 91, 92) });

describe('rows of a batch that failed', () => {
  it('come to the same however many batches they are in, and whoever asks beside them', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(faultyRow, { minLength: 1, maxLength: 120 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 10 }),
        fc.boolean(),
        async (rows, sizes, atOnce) => {
          const { run } = createGraph();
          const score = createMicroBatcher({ together: run, apart: run }, WIDTHS);
          const parts: number[][] = [];
          for (let start = 0, part = 0; start < rows.length; part++) {
            const size = sizes[part % sizes.length] ?? 1;
            parts.push(rows.slice(start, start + size));
            start += size;
          }
          const ask = (part: number[]) => score(Float32Array.from(part), String(part.length % 3));
          const found = atOnce ? await Promise.all(parts.map(ask)) : await inTurn(parts, ask);
          found.forEach(({ results, failures }, index) => {
            const reasons = [...failures].map(([row, { reason }]) => [row, reason]);
            const expected = toExpected(parts[index] ?? []);
            expect({ results: [...results], failures: reasons }).toEqual(expected);
          });
        },
      ),
      { seed: 15, numRuns: 200 },
    );
  });

  it('are blamed for a lost process only alone, after two, and only the row that did it', async () => {
    const { run, runs } = createGraph();
    const rows = Array.from({ length: 40 }, (_, row) => (row === 20 ? 93 : row % 10));
    const { results, failures } = await scoreIsolated(run, Float32Array.from(rows), WIDTHS);
    expect([...results]).toEqual(toExpected(rows).results);
    expect([...failures]).toEqual([[20, { reason: 'time', message: 'time of the graph' }]]);
    // The groups of 16; of the second one each row alone.
    expect(runs).toEqual([16, 16, ...Array.from({ length: 16 }, () => 1), 8]);
    runs.length = 0;
    expect([...(await scoreIsolated(run, Float32Array.of(94), WIDTHS)).failures.keys()]).toEqual([0]);
    expect(runs).toEqual([1, 1]);
  });

  it('are scored when a process is lost once, from outside', async () => {
    let losses = 1;
    const run = async (rows: Float32Array): Promise<RunResult> =>
      losses-- > 0 ? { failure: { reason: 'crash', message: 'SIGKILL' } } : { results: rows };
    const { results, failures } = await scoreIsolated(run, Float32Array.of(1, 2), WIDTHS);
    expect([[...results], failures.size]).toEqual([[1, 2], 0]);
  });

  it('cost a bounded number of processes when every row hangs; the rest is not tried', async () => {
    let lost = 0;
    const run = async (): Promise<RunResult> => {
      lost++;
      return { failure: { reason: 'time', message: 'hangs' } };
    };
    const { failures } = await scoreIsolated(run, new Float32Array(1_000), WIDTHS);
    expect(lost).toBe(LOST_PROCESSES_MAX);
    expect(failures.size).toBe(1_000);
    expect(failures.get(0)?.reason).toBe('time');
    expect(failures.get(999)?.reason).toBe('untried');
  });
});

async function inTurn<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const found: R[] = [];
  for (const item of items) found.push(await ask(item));
  return found;
}
