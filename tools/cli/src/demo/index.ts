export { collectTally } from './collect.js';
export { fetchDemoHistory } from './fetch-history.js';
export { runTraffic, type TrafficResult } from './live-traffic.js';
export { renderReport } from './render-report.js';
export { type DemoReport, toDemoReport } from './report.js';
export { sendVisitor, type Visitor } from './visitor.js';
