export * from './archive.js';
export * from './blob-location.js';
export * from './common.js';
export { describeVariables } from './describe.js';
export * from './reader.js';
export * from './snapshots.js';
