export * from './connect.js';
export * from './eviction-policy.js';
