export * from './compile.js';
export * from './nearest.js';
export * from './problem.js';
export * from './profile-scope.js';
export * from './shapes.js';
export * from './variables.js';
export * from './yaml.js';
