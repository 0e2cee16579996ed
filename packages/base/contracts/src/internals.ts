/* For the harness that tries upgrades. Lint keeps everybody else out. */
export { type StateWrapper, stateSeam } from './state-seam.js';
