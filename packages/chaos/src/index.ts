export { FAULTS, selectFaults } from './faults/index.js';
export { formatChaosReport, listFailures } from './report.js';
export { type ChaosOptions, type ChaosReport, type Injected, runChaos } from './run-chaos.js';
