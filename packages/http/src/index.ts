export * from './errors.js';
export * from './server.js';
