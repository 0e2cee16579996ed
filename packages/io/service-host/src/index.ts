export * from './compose.js';
export * from './http-errors.js';
export * from './http-server.js';
export * from './open.js';
export * from './process-host.js';
export * from './read-given-file.js';
export * from './run-service.js';
