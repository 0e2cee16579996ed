export { createApp } from './app.js';
export { createCommands } from './commands.js';
export { type ActionConfig, loadConfig } from './config.js';
export { OPERATIONS } from './http/operations.js';
export { createActionProcessor, PROCESSOR_NAME } from './pipeline.js';
export { openRebuild } from './rebuild.js';
