export * from './process-host.js';
export * from './run-service.js';
