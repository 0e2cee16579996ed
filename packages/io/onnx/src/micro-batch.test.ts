import { describe, expect, it } from '@jest/globals';
import { createMicroBatcher } from './micro-batch.js';

/** Doubles the first number of each row of two; counts its runs. */
function createModel() {
  const sizes: number[] = [];
  const run = async (rows: Float32Array) => {
    sizes.push(rows.length / 2);
    await new Promise((resolve) => setImmediate(resolve));
    if (rows.includes(-1)) throw new Error('no such row');
    return { score: Float32Array.from({ length: rows.length / 2 }, (_, row) => 2 * (rows[2 * row] ?? 0)) };
  };
  return { sizes, score: createMicroBatcher(run, 2) };
}

describe('the micro-batcher', () => {
  it('runs once for all that ask together and gives each its own rows', async () => {
    const { sizes, score } = createModel();
    const asked = [score(Float32Array.of(1, 0)), score(Float32Array.of(2, 0, 3, 0)), score(Float32Array.of())];
    const scores = (await Promise.all(asked)).map((found) => [...found.score]);
    expect(scores).toEqual([[2], [4, 6], []]);
    expect(sizes).toEqual([3]);
  });

  it('gathers what asks during a run for the next one', async () => {
    const { sizes, score } = createModel();
    const first = score(Float32Array.of(1, 0));
    await new Promise((resolve) => setImmediate(resolve));
    const later = [score(Float32Array.of(2, 0)), score(Float32Array.of(3, 0))];
    expect((await first).score).toEqual(Float32Array.of(2));
    expect((await Promise.all(later)).map((found) => [...found.score])).toEqual([[4], [6]]);
    expect(sizes).toEqual([1, 2]);
  });

  it('tells a failed run to all in it, and goes on', async () => {
    const { score } = createModel();
    const failed = await Promise.allSettled([score(Float32Array.of(-1, 0)), score(Float32Array.of(1, 0))]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await score(Float32Array.of(4, 0))).score).toEqual(Float32Array.of(8));
  });
});
