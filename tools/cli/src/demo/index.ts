export { collectTally } from './collect.js';
export * from './fetch-history.js';
export * from './live-traffic.js';
export { renderReport } from './render-report.js';
export * from './report.js';
export { sendVisitor, type Visitor } from './visitor.js';
