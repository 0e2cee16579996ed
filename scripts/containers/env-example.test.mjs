import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { describeVariables } from '@perennial/config';
import { SERVICE_NAMES } from '@perennial/contracts';
import { loadService } from '@perennial/launcher';
import { createEnvExample } from './env-example.mjs';

const root = join(import.meta.dirname, '../..');
const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const variable = (name, more = {}) => ({
  name,
  description: 'What it does',
  required: false,
  secret: false,
  form: 'text',
  ...more,
});

describe('.env.example', () => {
  it('is what docker-compose.yml and the services read (else: pnpm build && node scripts/make-env-example.mjs)', async () => {
    const declarations = {};
    for (const service of SERVICE_NAMES) {
      const { loadConfig } = await loadService(service);
      declarations[service] = describeVariables(loadConfig);
    }
    expect(readFileSync(join(root, '.env.example'), 'utf8')).toBe(createEnvExample(compose, declarations));
  });
});

describe('createEnvExample', () => {
  it('gives no secret a value, and tells form and default of the rest', () => {
    const text = createEnvExample(compose, { ingest: [variable('LOG_LEVEL', { default: 'info' })] });
    expect(text).toMatch(/^PERENNIAL_SECRET=$/m);
    expect(text).toMatch(/^REDIS_PASSWORD=$/m);
    expect(text).toMatch(/^# INGEST_PORT=8080$/m);
    expect(text).toContain('# What it does; text.\n# LOG_LEVEL=info\n');
  });

  it('rejects a variable that the compose file keeps from its service, naming both', () => {
    expect(() => createEnvExample(compose, { scoring: [variable('BATCH_ROWS_MAX')] })).toThrow(
      'docker-compose.yml does not hand BATCH_ROWS_MAX on to scoring',
    );
  });

  it('rejects a required variable that the compose file keeps from provision', () => {
    const without = compose.replace('      PERENNIAL_ARCHIVE: "off"\n', '');
    expect(without).not.toBe(compose);
    const archive = variable('PERENNIAL_ARCHIVE', { required: true });
    expect(() => createEnvExample(without, { 'feature-store': [archive] })).toThrow(
      'docker-compose.yml does not hand PERENNIAL_ARCHIVE on to provision',
    );
  });

  it('rejects a default for a secret', () => {
    const careless = compose.replace(/(\$\{REDIS_PASSWORD):\?[^}]*/, '$1:-redis');
    expect(careless).not.toBe(compose);
    expect(() => createEnvExample(careless, {})).toThrow('REDIS_PASSWORD has a default');
  });
});
