export * from './batch-shapes.js';
export * from './container.js';
export * from './manifest.js';
export * from './model.js';
export * from './session.js';
