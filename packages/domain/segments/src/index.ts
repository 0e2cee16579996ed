export { fromBits, toBits } from './bits.js';
export { readSegmentNames } from './names.js';
export { parseSegments } from './parse.js';
export type { Segment, Segments } from './segment.js';
export {
  leaveSegments,
  type SegmentChange,
  type SegmentResult,
  type SegmentState,
  type Since,
  stepSegments,
} from './step.js';
