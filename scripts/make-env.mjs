// Makes .env with fresh secrets for docker-compose.yml, readable by its owner alone. An existing one is never overwritten.
import { join } from 'node:path';
import { ensureEnvFile } from './containers/env-file.mjs';

const path = join(import.meta.dirname, '..', '.env');
try {
  console.log(ensureEnvFile(path) ? `made ${path} with new secrets: keep it safe` : `${path} is there: left as it is`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
