export { type FuzzReport, fuzz } from './fuzz.js';
export { TARGETS } from './targets.js';
