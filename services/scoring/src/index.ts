import type { ProcessorServiceDefinition } from '@perennial/processor-host';
import { app } from './app.js';
import { createCommands } from './commands.js';
import { loadConfig, type ScoringConfig } from './config.js';

export { checkLifecycleFile, checkModelFolder, checkSegmentsFile } from './commands.js';
export { OPERATIONS } from './http/operations.js';

export const service: ProcessorServiceDefinition<ScoringConfig> = {
  ...app,
  loadConfig,
  commands: createCommands,
};
