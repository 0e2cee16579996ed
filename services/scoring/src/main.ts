import { runService } from '@perennial/service-host';
import { createApp } from './app.js';
import { createCommands } from './commands.js';
import { loadConfig } from './config.js';

await runService({
  name: 'scoring',
  loadConfig,
  createApp,
  commands: createCommands((line) => process.stdout.write(line)),
});
