// Writes .env.example from docker-compose.yml and the services' configuration (built: run `pnpm build` first).
// With --check it only reports whether the file is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeVariables } from '../packages/base/config/dist/index.js';
import { SERVICE_NAMES } from '../packages/base/contracts/dist/index.js';
import { loadService } from '../tools/launcher/dist/index.js';
import { createEnvExample } from './containers/env-example.mjs';

const root = join(import.meta.dirname, '..');
const path = join(root, '.env.example');

const declarations = {};
for (const service of SERVICE_NAMES) {
  const { loadConfig } = await loadService(service);
  declarations[service] = describeVariables(loadConfig);
}
const text = createEnvExample(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), declarations);
if (!process.argv.includes('--check')) {
  writeFileSync(path, text);
  console.log(`wrote ${path}`);
} else if (readFileSync(path, 'utf8') !== text) {
  console.error('.env.example is not what the services read: run node scripts/make-env-example.mjs');
  process.exitCode = 1;
}
