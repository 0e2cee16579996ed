export { parseTime, type TimeOptions } from './parse-time.js';
export { parseZone } from './parse-zone.js';
export { describeTimeProblem } from './time-problem.js';
export { isZone, toZoneOffsetMs } from './zone-offset.js';
