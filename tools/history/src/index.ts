export {
  type ColumnMap,
  parseColumnMap,
} from './columns.js';
export type { SegmentTrack } from './event.js';
export {
  type BadRow,
  type History,
  readOrders,
} from './read-orders.js';
export { parseTimestamp } from './timestamp.js';
