export { FAULTS, selectFaults } from './faults/index.js';
export { MUTANTS, selectMutant } from './mutants.js';
export { FaultyLink } from './proxy.js';
export { type ChaosReport, formatChaosReport, isBreakageNoticed, listFailures } from './report.js';
export { type ChaosOptions, runChaos } from './run-chaos.js';
