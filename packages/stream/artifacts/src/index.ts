export * from './content-keeper.js';
export * from './registry.js';
