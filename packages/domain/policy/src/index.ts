export * from './decide.js';
export * from './history.js';
export * from './parse.js';
export * from './policy.js';
export * from './quiet-hours.js';
export * from './time-zone.js';
