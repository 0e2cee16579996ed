import { expect } from '@jest/globals';
import { runSeeds, toSeedReport } from '@perennial/keyed-processor/testing';

/** Runs the worlds of consecutive seeds; a failure prints the seeds and how to see them again. */
export async function expectNoFailures(seeds: { first: number; count: number }): Promise<void> {
  const result = await runSeeds({ ...seeds, failuresMax: 3 });
  expect(result.failures.map(toSeedReport)).toEqual([]);
  expect(result.seeds).toBe(seeds.count);
}
