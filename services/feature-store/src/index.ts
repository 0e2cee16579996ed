export { createApp } from './app.js';
export { type FeatureStoreConfig, loadConfig, PORT_DEFAULT, readConfig } from './config.js';
export { createFeatureProcessor, PROCESSOR_NAME } from './pipeline.js';
export { openRebuild } from './rebuild.js';
