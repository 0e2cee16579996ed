export * from './cached-pseudonymizer.js';
export * from './external-id.js';
export * from './pseudonymizer.js';
