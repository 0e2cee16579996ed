export * from './cached-pseudonymizer.js';
export * from './pseudonymizer.js';
