export { FAULTS, selectFaults } from './faults/index.js';
export { MUTANTS, parseMutantName } from './mutants.js';
export { FaultyLink } from './proxy.js';
export { type ChaosReport, formatChaosReport, isMutantNoticed, listFailures } from './report.js';
export { type ChaosOptions, runChaos } from './run-chaos.js';
