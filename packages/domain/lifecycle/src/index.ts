export * from './chart.js';
export * from './parse.js';
export * from './step.js';
