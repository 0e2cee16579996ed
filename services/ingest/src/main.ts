import { runService } from '@perennial/service-host';
import { createApp } from './app.js';
import { createCommands } from './commands.js';
import { loadConfig } from './config.js';

await runService({
  name: 'ingest',
  loadConfig,
  createApp,
  commands: createCommands((line) => void process.stdout.write(`${line}\n`), process.env),
});
