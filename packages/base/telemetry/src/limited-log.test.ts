import { describe, expect, it } from '@jest/globals';
import { createLimitedLog } from './index.js';

describe('a limited log', () => {
  it('writes the first of each interval, with the number left out before it', () => {
    let nowMs = 0;
    const lines: Array<[string, number]> = [];
    const log = createLimitedLog<string>((what, leftOut) => lines.push([what, leftOut]), {
      intervalMs: 100,
      nowMs: () => nowMs,
    });
    for (const atMs of [0, 1, 99, 100, 150, 350]) {
      nowMs = atMs;
      log(`at ${atMs}`);
    }
    expect(lines).toEqual([
      ['at 0', 0],
      ['at 100', 2],
      ['at 350', 1],
    ]);
  });
});
