import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from '@perennial/kernel';
import { toDeviation } from '../deviation.js';
import { measureGaps } from './gaps.js';

/** Whole numbers of any size throughout. */
function toNaive(times: readonly number[]): number {
  const gaps = times.slice(1).map((time, place) => BigInt(time - (times[place] as number)));
  const sum = gaps.reduce((all, gap) => all + gap, 0n);
  return toDeviation({ count: gaps.length, sum, squares: gaps.reduce((all, gap) => all + gap * gap, 0n) });
}

describe('the deviation of gaps', () => {
  it.each([10, 2 ** 21, 2 ** 30, 2 ** 41, 2 ** 43])('is exact for 512 times with gaps below %d', (below) => {
    const random = createSeededRandom(below);
    let time = -below;
    const times = Array.from({ length: 512 }, () => {
      time += Math.floor(random() * below);
      return time;
    });
    expect(measureGaps(times, [{ kind: 'deviation' }])).toEqual([toNaive(times)]);
  });
});
