export { createApp } from './app.js';
export { type FeatureStoreConfig, loadConfig } from './config.js';
export { OPERATIONS } from './http/operations.js';
export { createFeatureProcessor, PROCESSOR_NAME } from './pipeline.js';
export { openRebuild } from './rebuild.js';
