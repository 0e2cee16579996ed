export { createApp } from './app.js';
export { createCommands } from './commands.js';
export { loadConfig, type ScoringConfig } from './config.js';
export { OPERATIONS } from './http/operations.js';
export { openRebuild } from './rebuild.js';
