import { basename } from 'node:path';
import type { Artifact } from '@perennial/artifacts';
import type { RateTable } from '@perennial/commerce';
import { encodeFeatureSpec, requireFeatureFile, SPECS_MAX } from '@perennial/feature-engine';
import { findMovedKind, type IdentityRules } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import { withArtifacts } from '@perennial/processor-host';
import { type Command, type CommandHost, readGivenFile } from '@perennial/service-host';
import { findOtherCurrency, readIdentityRules, readRates } from './artifacts.js';
import { createAuditCommand } from './audit/audit-command.js';
import type { FeatureStoreConfig } from './config.js';
import { createDriftCommand } from './drift/drift-command.js';
import { createFillCommand } from './fill/fill-command.js';
import { createRetractCommand } from './retract/retract-command.js';
import { createChangeCommand } from './unmerge/open-change-command.js';

const REGISTERED = { features: registerFeatures, rates: registerRates, identity: registerIdentity } as const;

const USAGE = `usage: register ${Object.keys(REGISTERED).join('|')} FILE`;

/** The one-shot commands; results are printed as one line of JSON. */
export function createCommands({
  print,
}: CommandHost): Readonly<
  Record<'register' | 'fill' | 'audit' | 'drift' | 'identities' | 'events', Command<FeatureStoreConfig>>
> {
  return {
    fill: createFillCommand(print),
    audit: createAuditCommand(print),
    drift: createDriftCommand(print),
    identities: createChangeCommand(print),
    events: createRetractCommand(print),

    /** `register features|rates|identity FILE`: reports all problems of the file at once. */
    register: async (config, [kind = '', path]) => {
      if (path === undefined || !Object.hasOwn(REGISTERED, kind)) throw new AppError('config_invalid', USAGE);
      const register = REGISTERED[kind as keyof typeof REGISTERED];
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

/** Rules that give a kind another strength than any before them are invalid here already: records hold it for good. */
async function registerIdentity(config: FeatureStoreConfig, path: string): Promise<Artifact> {
  const { bytes, rules } = await readIdentityFile(path);
  return withArtifacts(config, async ({ registry, store }) => {
    for (const { hash, number } of await registry.list('identity')) {
      const moved = findMovedKind(rules, readIdentityRules(await store.load('identity', hash)));
      if (moved !== undefined)
        throw new AppError('config_invalid', `${basename(path)}: ${moved} (identity ${number}); use another namespace`);
    }
    return registry.register('identity', bytes, { name: basename(path) });
  });
}

/** Reads a file to rules about ids; throws `config_invalid` with the file's name and every problem. */
export async function readIdentityFile(
  path: string,
): Promise<{ readonly bytes: Buffer; readonly rules: IdentityRules }> {
  const bytes = await readGivenFile(path);
  return { bytes, rules: readIdentityRules(bytes, basename(path)) };
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
