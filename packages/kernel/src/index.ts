export * from './assert.js';
export * from './backoff.js';
export * from './bounded-queue.js';
export * from './clock.js';
export * from './errors.js';
export * from './ids.js';
export * from './lru-cache.js';
export * from './release-stack.js';
