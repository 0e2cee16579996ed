export type { Mutant } from './mutant.js';
export { MUTANTS } from './mutants.js';
export { drawPlan, type WorldPlan } from './plan.js';
export { type FailingSeed, runSeeds, type SeedsOptions, type SeedsResult, toSeedReport } from './run-seeds.js';
export { type PooledSeedsOptions, SeedPool } from './seed-pool.js';
export { shrinkFaults } from './shrink.js';
export { type SimulationOptions, type SimulationResult, simulate } from './simulate.js';
