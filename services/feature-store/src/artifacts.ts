import { type ArtifactStore, type Artifacts, createArtifacts } from '@perennial/artifacts';
import { INITIAL_RATES, parseRateTable, type RateTable } from '@perennial/commerce';
import type { Rollout } from '@perennial/contracts';
import { requireValid } from '@perennial/expressions';
import {
  type CompiledFeatures,
  createSpecReader,
  describeMissing,
  type FeatureSpecs,
  SPECS_MAX,
} from '@perennial/feature-engine';

/** Tables cached. Each partition may have another one in force; above this number tables are loaded again. */
const RATE_TABLES_KEPT_MAX = 16;

interface Values {
  readonly features: CompiledFeatures;
  readonly rates: RateTable;
}

/** The artifacts in force: the feature spec and the rate table. */
export interface FeatureArtifacts {
  /** Adds a spec to those that this process knows; returns why it does not fit. Throws as `Artifacts.loadRollout`. */
  loadRollout: Artifacts<unknown>['loadRollout'];
  /** Loads every registered spec: for a state whose spec came into force after this process started. */
  loadAll(): Promise<void>;
  /** The rate table of a rollout, or the one before any. */
  rates(rollout: Rollout | undefined): Promise<RateTable>;
}

export function createFeatureArtifacts(
  store: Pick<ArtifactStore, 'load' | 'list'>,
  { specs }: { readonly specs: FeatureSpecs },
): FeatureArtifacts {
  const reader = createSpecReader(specs, store);
  const artifacts: Artifacts<Values> = createArtifacts<Values>(store, {
    features: {
      keptMax: SPECS_MAX,
      read: reader.read,
      check: async (spec, inForce) => findLoss(spec, inForce, specs),
    },
    rates: {
      keptMax: RATE_TABLES_KEPT_MAX,
      read: (bytes) => readRates(bytes),
      async check(table, inForce) {
        const current = inForce.get('rates');
        return current && findOtherCurrency(table, await artifacts.get('rates', current.hash));
      },
    },
  });
  return {
    loadRollout: artifacts.loadRollout,
    loadAll: reader.readAll,
    rates: async (rollout) => (rollout === undefined ? INITIAL_RATES : artifacts.get('rates', rollout.hash)),
  };
}

/**
 * The features that a spec would remove although artifacts in force need them. Before any chart, policy or model
 * was rolled out here, any spec is valid: that is how a namespace gets its own.
 */
function findLoss(
  spec: CompiledFeatures,
  inForce: ReadonlyMap<string, Rollout>,
  specs: FeatureSpecs,
): string | undefined {
  const isFree = [...inForce.keys()].every((kind) => kind === 'features' || kind === 'rates');
  const missing = isFree ? undefined : describeMissing(specs.inForce(inForce.get('features')).features, spec);
  return missing && `a spec only grows, and it lacks features of the spec in force: ${missing}`;
}

/** Throws `config_invalid` with every problem. */
export function readRates(bytes: Buffer, fileName = 'rates.yaml'): RateTable {
  return requireValid(parseRateTable(bytes.toString('utf8'), { fileName }));
}

/** Sums that a profile has are in the currency in force: another one would be added to them. */
export function findOtherCurrency(table: RateTable, inForce: RateTable): string | undefined {
  if (table.currency === inForce.currency) return undefined;
  return `its currency is ${table.currency}, but the sums of this namespace are in ${inForce.currency}`;
}
