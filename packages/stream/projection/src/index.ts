export * from './offsets.js';
export * from './partition-writer.js';
export * from './projection.js';
