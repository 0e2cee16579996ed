/* Only for the harness that kills processes during a publish, and for the fuzzer. Lint forbids any other import. */
export { decodeRecordSet } from './decode-record-set.js';
export { logSeam } from './log-seam.js';
