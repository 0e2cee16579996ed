export { createApp } from './app.js';
export { createCommands } from './commands.js';
export { loadConfig, type ScoringConfig } from './config.js';
