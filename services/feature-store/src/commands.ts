import { basename } from 'node:path';
import type { Artifact } from '@perennial/artifacts';
import type { RateTable } from '@perennial/commerce';
import { encodeFeatureSpec, requireFeatureFile, SPECS_MAX } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { withArtifacts } from '@perennial/processor-host';
import { type Command, type CommandHost, readGivenFile } from '@perennial/service-host';
import { findOtherCurrency, readRates } from './artifacts.js';
import { createAuditCommand } from './audit/audit-command.js';
import type { FeatureStoreConfig } from './config.js';
import { createDriftCommand } from './drift/drift-command.js';
import { createFillCommand } from './fill/fill-command.js';
import { createChangeCommand } from './unmerge/open-change-command.js';

const USAGE = 'usage: register features|rates FILE';

/** The one-shot commands; results are printed as one line of JSON. */
export function createCommands({
  print,
}: CommandHost): Readonly<Record<'register' | 'fill' | 'audit' | 'drift' | 'identities', Command<FeatureStoreConfig>>> {
  return {
    fill: createFillCommand(print),
    audit: createAuditCommand(print),
    drift: createDriftCommand(print),
    identities: createChangeCommand(print),

    /** `register features|rates FILE`: reports all problems of the file at once. */
    register: async (config, [kind, path]) => {
      if (path === undefined || (kind !== 'features' && kind !== 'rates')) throw new AppError('config_invalid', USAGE);
      const register = kind === 'features' ? registerFeatures : registerRates;
      print(JSON.stringify(await register(config, path)));
    },
  };
}

/** Equal definitions give one artifact. */
async function registerFeatures(config: FeatureStoreConfig, path: string): Promise<Artifact> {
  const bytes = await readFeatureSpec(path);
  return withArtifacts(config, async ({ registry }) => {
    const artifact = await registry.register('features', bytes, { name: basename(path) });
    // Every process holds all specs, since a state may belong to any of them.
    if (artifact.number <= SPECS_MAX) return artifact;
    throw new AppError('limit_exceeded', `a namespace has ${SPECS_MAX} feature specs at most, this is another one`);
  });
}

/** A table in another currency than the tables before it is invalid here already: no rollout of it could come into force. */
async function registerRates(config: FeatureStoreConfig, path: string): Promise<Artifact> {
  const { bytes, table } = await readRateTable(path);
  return withArtifacts(config, async ({ registry, loadNewest }) => {
    const newest = await loadNewest('rates');
    const other = newest && findOtherCurrency(table, readRates(newest));
    if (other !== undefined) {
      throw new AppError('config_invalid', `${basename(path)}: ${other}; use another namespace`);
    }
    return registry.register('rates', bytes, { name: basename(path) });
  });
}

/** Reads a file to a rate table; throws `config_invalid` with the file's name and every problem. */
export async function readRateTable(path: string): Promise<{ readonly bytes: Buffer; readonly table: RateTable }> {
  const bytes = await readGivenFile(path);
  return { bytes, table: readRates(bytes, basename(path)) };
}

/** Reads a file, YAML or JSON, to a spec's canonical bytes; throws `config_invalid` with the file's name and every problem. */
export async function readFeatureSpec(path: string): Promise<Buffer> {
  const { definitions, rules } = requireFeatureFile(await readGivenFile(path), basename(path));
  return encodeFeatureSpec(definitions, rules);
}
