import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  ARTIFACT_KIND_NAMES,
  ARTIFACT_KINDS,
  PROCESSOR_NAMES,
  PROCESSORS,
  SERVICE_NAMES,
  TOPICS,
} from '@perennial/contracts';
import { parse } from 'yaml';

/** Files that cannot read the topology must agree with it. */

const root = join(import.meta.dirname, '..');
const read = (path) => readFileSync(join(root, path), 'utf8');
const STORES = ['kafka', 'redis', 'postgres'];

describe('the topology', () => {
  it('names the folders of services', () => {
    expect(readdirSync(join(root, 'services')).sort()).toEqual([...SERVICE_NAMES].sort());
  });

  it('names the services of docker-compose.yml', () => {
    const { services } = parse(read('docker-compose.yml'), { merge: true });
    expect(Object.keys(services).sort()).toEqual([...SERVICE_NAMES, ...STORES, 'provision'].sort());
  });

  it.each(SERVICE_NAMES)('has %s built, tested and kept from being imported', (service) => {
    const { references } = JSON.parse(read('tsconfig.json'));
    expect(references).toContainEqual({ path: `services/${service}` });
    const { overrides } = JSON.parse(read('biome.json'));
    const text = JSON.stringify(overrides.find(({ includes }) => includes.includes('services/**')));
    expect(text).toContain(`"@perennial/service-${service}"`);
  });

  it('has an OpenAPI document of each service', () => {
    expect(readdirSync(join(root, 'proto/openapi')).sort()).toEqual(SERVICE_NAMES.map((name) => `${name}.json`).sort());
  });

  it('has each processor read what the one before it writes', () => {
    for (const [index, name] of PROCESSOR_NAMES.slice(1).entries())
      expect(PROCESSORS[name].input).toBe(PROCESSORS[PROCESSOR_NAMES[index]].outputs[0]);
  });

  it('has each output written by the service that declares it', () => {
    for (const name of PROCESSOR_NAMES)
      for (const topic of PROCESSORS[name].outputs) expect(TOPICS[topic].writer).toBe(PROCESSORS[name].service);
  });

  it.each(ARTIFACT_KIND_NAMES)('has a default %s', (kind) => {
    expect(existsSync(join(root, ARTIFACT_KINDS[kind].defaultPath))).toBe(true);
  });
});
