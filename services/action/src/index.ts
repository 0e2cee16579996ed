import type { ProcessorServiceDefinition } from '@perennial/processor-host';
import { app } from './app.js';
import { createCommands } from './commands.js';
import { type ActionConfig, loadConfig } from './config.js';

export { createExposures, EXPOSURE_MIGRATIONS } from './adapters/exposures.js';
export { createLedger, LEDGER_MIGRATIONS } from './adapters/ledger.js';
export { checkPolicyFile } from './commands.js';
export { takeNotice } from './domain/take-notice.js';
export { OPERATIONS } from './http/operations.js';

export const service: ProcessorServiceDefinition<ActionConfig> = {
  ...app,
  loadConfig,
  commands: createCommands,
};
