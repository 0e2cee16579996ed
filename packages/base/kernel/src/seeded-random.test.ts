import { describe, expect, it } from '@jest/globals';
import { createSeededRandom } from './seeded-random.js';

describe('createSeededRandom', () => {
  it('gives the same numbers for the same seed, for ever: seeds in tests and reports stay meaningful', () => {
    const random = createSeededRandom(1);
    expect([random(), random(), random()]).toEqual([0.6270739405881613, 0.002735721180215478, 0.5274470399599522]);
  });
});
