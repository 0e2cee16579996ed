export { createApp, type ScoringOverrides } from './app.js';
export { createCommands } from './commands.js';
export { loadConfig, type ScoringConfig } from './config.js';
