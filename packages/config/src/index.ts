export * from './common.js';
export { describeVariables } from './describe.js';
export * from './reader.js';
export * from './snapshots.js';
