/* Only for the harness that tests upgrades. Lint forbids any other import. */
export { type StateWrapper, stateSeam } from './state-seam.js';
