export { createApp, type IngestOverrides } from './app.js';
export { createCommands } from './commands.js';
export { type IngestConfig, loadConfig } from './config.js';
export { OPERATIONS } from './http/server.js';
