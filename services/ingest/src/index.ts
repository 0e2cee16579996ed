import type { ServiceDefinition } from '@perennial/service-host';
import { createApp } from './app.js';
import { createCommands } from './commands.js';
import { type IngestConfig, loadConfig } from './config.js';

export { OPERATIONS } from './http/server.js';
export { OUTCOMES, RECEIVED, receiveRecord } from './kafka/kafka-source.js';
export { receiveCalls } from './receive.js';

export const service: ServiceDefinition<IngestConfig> = {
  name: 'ingest',
  loadConfig,
  createApp: (config) => createApp(config),
  commands: createCommands,
};
