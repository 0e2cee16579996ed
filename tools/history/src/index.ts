export * from './columns.js';
export * from './event.js';
export type { HistoryItem, HistoryOrder } from './order-table.js';
export { EVENT_BYTES_MAX, ROWS_MAX } from './order-table.js';
export * from './read-orders.js';
export * from './timestamp.js';
