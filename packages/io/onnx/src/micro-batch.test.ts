import { describe, expect, it } from '@jest/globals';
import { createMicroBatcher } from './micro-batch.js';

/** For each row of two numbers returns twice the first and half of the second; counts its runs. */
function createModel() {
  const sizes: number[] = [];
  const run = async (rows: Float32Array) => {
    sizes.push(rows.length / 2);
    await new Promise((resolve) => setImmediate(resolve));
    if (rows.includes(-1)) throw new Error('no machine');
    if (rows.includes(-2)) return { failure: { reason: 'error' as const, message: 'no such row' } };
    return { results: rows.map((value, index) => (index % 2 === 0 ? 2 * value : value / 2)) };
  };
  const scoreLane = createMicroBatcher({ together: run, apart: run }, { features: 2, heads: 2 });
  return { sizes, score: (rows: Float32Array) => scoreLane(rows, '0') };
}

describe('the micro-batcher', () => {
  it('runs once for all that ask together and gives each its own rows', async () => {
    const { sizes, score } = createModel();
    const asked = [score(Float32Array.of(1, 10)), score(Float32Array.of(2, 20, 3, 30)), score(Float32Array.of())];
    const results = (await Promise.all(asked)).map((found) => [...found.results]);
    expect(results).toEqual([[2, 5], [4, 10, 6, 15], []]);
    expect(sizes).toEqual([3]);
  });

  it('gathers what asks during a run for the next one', async () => {
    const { sizes, score } = createModel();
    const first = score(Float32Array.of(1, 0));
    await new Promise((resolve) => setImmediate(resolve));
    const later = [score(Float32Array.of(2, 0)), score(Float32Array.of(3, 0))];
    expect((await first).results).toEqual(Float32Array.of(2, 0));
    expect((await Promise.all(later)).map(({ results }) => [...results])).toEqual([
      [4, 0],
      [6, 0],
    ]);
    expect(sizes).toEqual([1, 2]);
  });

  it('reports a problem of the machine to all in the run, and goes on', async () => {
    const { score } = createModel();
    const failed = await Promise.allSettled([score(Float32Array.of(-1, 0)), score(Float32Array.of(1, 0))]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await score(Float32Array.of(4, 0))).results).toEqual(Float32Array.of(8, 0));
  });

  it('gives each its own failing rows', async () => {
    const { score } = createModel();
    const asked = [score(Float32Array.of(1, 10)), score(Float32Array.of(2, 20, -2, 0, 3, 30))];
    const [good, mixed] = await Promise.all(asked);
    expect(good).toEqual({ results: Float32Array.of(2, 5), failures: new Map() });
    expect(mixed?.results).toEqual(Float32Array.of(4, 10, Number.NaN, Number.NaN, 6, 15));
    expect([...(mixed?.failures ?? [])]).toEqual([[1, { reason: 'error', message: 'no such row' }]]);
  });
});
