export * from './common.js';
export * from './reader.js';
