export { MUTANTS } from './mutants.js';
export { drawPlan, type WorldPlan } from './plan.js';
export { toSeedReport } from './run-seeds.js';
export { SeedPool } from './seed-pool.js';
export { shrinkFaults } from './shrink.js';
export { simulate } from './simulate.js';
