export { createApp } from './app.js';
export { type FeatureStoreConfig, loadConfig, PORT_DEFAULT } from './config.js';
export { createFeatureProcessor, PROCESSOR_NAME } from './pipeline.js';
export { openRebuild } from './rebuild.js';
