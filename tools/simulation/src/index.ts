export type { MetaOf, OnBroken, PortMutant } from './mutant.js';
export { drawPlan, type WorldPlan } from './plan.js';
export { PORT_MUTANTS } from './port-mutants.js';
export { RULES, type RuleName } from './rules.js';
export { toSeedReport } from './run-seeds.js';
export { SeedPool } from './seed-pool.js';
export { shrinkFaults } from './shrink.js';
export { simulate } from './simulate.js';
export { withLateBegin } from './snapshot-mutants.js';
