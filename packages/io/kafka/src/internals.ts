/* Only for the harness that kills processes during a publish. Lint forbids any other import. */
export { logSeam } from './log-seam.js';
