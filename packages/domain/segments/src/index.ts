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
