export { BREAKAGES, selectBreakage } from './breakages.js';
export { FAULTS, selectFaults } from './faults/index.js';
export type { Injected } from './lanes.js';
export { formatChaosReport, isBreakageNoticed, listFailures } from './report.js';
export { type ChaosOptions, type ChaosReport, runChaos } from './run-chaos.js';
