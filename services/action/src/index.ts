import type { ProcessorServiceDefinition } from '@perennial/processor-host';
import { createApp, openRebuild } from './app.js';
import { createCommands } from './commands.js';
import { type ActionConfig, loadConfig } from './config.js';

export { createLedger, LEDGER_MIGRATIONS } from './adapters/ledger.js';
export { checkPolicyFile } from './commands.js';
export { OPERATIONS } from './http/operations.js';

export const service: ProcessorServiceDefinition<ActionConfig> = {
  name: 'action',
  loadConfig,
  createApp,
  commands: createCommands,
  openRebuild,
};
