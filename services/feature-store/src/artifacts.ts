import { isDeepStrictEqual } from 'node:util';
import { type ArtifactStore, type Artifacts, createArtifacts } from '@perennial/artifacts';
import { INITIAL_RATES, parseRateTable, type RateTable } from '@perennial/commerce';
import { FILL_ROLLOUT_KINDS, type Rollout } from '@perennial/contracts';
import { requireValid } from '@perennial/expressions';
import {
  type CompiledFeatures,
  createSpecReader,
  describeMissing,
  describeMissingAttributes,
  type FeatureSpecs,
  SPECS_MAX,
} from '@perennial/feature-engine';
import { findMovedKind, type IdentityRules, INITIAL_RULES, requireIdentityRules } from '@perennial/identity';
import { createFills, type Fills } from './fill/fills.js';
import { createUnmerges, type Unmerges } from './identity/unmerge-document.js';

/** Tables cached. Each partition may have another one in force; above this number tables are loaded again. */
const RATE_TABLES_KEPT_MAX = 16;
/** The same of rules about ids. */
const IDENTITY_RULES_KEPT_MAX = 16;

interface Values {
  readonly features: CompiledFeatures;
  readonly rates: RateTable;
  readonly identity: IdentityRules;
}

/** The artifacts in force: the feature spec, the rate table, the rules about ids and the fill of a spec. */
export interface FeatureArtifacts {
  readonly fills: Fills;
  readonly unmerges: Unmerges;
  /** Adds a spec to those that this process knows; returns why it does not fit. Throws as `Artifacts.loadRollout`. */
  loadRollout: Artifacts<unknown>['loadRollout'];
  /** Loads every registered spec: for a state whose spec came into force after this process started. */
  loadAll(): Promise<void>;
  /** The rate table of a rollout, or the one before any. */
  rates(rollout: Rollout | undefined): Promise<RateTable>;
  /** The rules about ids of a rollout, or those before any. */
  identity(rollout: Rollout | undefined): Promise<IdentityRules>;
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
      check: async (spec, inForce, { hash }) =>
        findLoss(spec, inForce, specs) ?? findOtherRule(spec, inForce, { hash, specs }),
    },
    rates: {
      keptMax: RATE_TABLES_KEPT_MAX,
      read: (bytes) => readRates(bytes),
      async check(table, inForce) {
        const current = inForce.get('rates');
        return current && findOtherCurrency(table, await artifacts.get('rates', current.hash));
      },
    },
    identity: {
      keptMax: IDENTITY_RULES_KEPT_MAX,
      read: (bytes) => readIdentityRules(bytes),
      async check(rules, inForce) {
        const current = inForce.get('identity');
        return current && findMovedKind(rules, await artifacts.get('identity', current.hash));
      },
    },
  });
  const fills = createFills(store, specs);
  return {
    fills,
    unmerges: createUnmerges(store),
    loadRollout: (rollout, inForce) =>
      rollout.kind === 'feature-fill' ? fills.loadRollout(rollout, inForce) : artifacts.loadRollout(rollout, inForce),
    loadAll: reader.readAll,
    rates: async (rollout) => (rollout === undefined ? INITIAL_RATES : artifacts.get('rates', rollout.hash)),
    identity: async (rollout) => (rollout === undefined ? INITIAL_RULES : artifacts.get('identity', rollout.hash)),
  };
}

/** Kinds that rest on no feature. */
const NEEDS_NO_FEATURES: ReadonlySet<string> = new Set(['features', 'rates', 'identity', ...FILL_ROLLOUT_KINDS]);

/** While a spec is filled, the ids of the spec before decide what counts: both must count repeated orders alike. */
function findOtherRule(
  spec: CompiledFeatures,
  inForce: ReadonlyMap<string, Rollout>,
  { hash, specs }: { readonly hash: string; readonly specs: FeatureSpecs },
): string | undefined {
  if (inForce.get('feature-filling')?.hash !== hash) return undefined;
  const { repeatedOrders, corrections } = specs.inForce(inForce.get('features'));
  if (!isDeepStrictEqual(spec.corrections, corrections))
    return 'it is to be filled, but its corrections are not those in force: use another namespace';
  if (spec.repeatedOrders === repeatedOrders) return undefined;
  return `it is to be filled, but its rule repeatedOrders is "${spec.repeatedOrders}" and that in force "${repeatedOrders}": use another namespace`;
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
  const isFree = [...inForce.keys()].every((kind) => NEEDS_NO_FEATURES.has(kind));
  if (isFree) return undefined;
  const { features, attributes } = specs.inForce(inForce.get('features'));
  const missing = describeMissing(features, spec);
  if (missing !== undefined) return `a spec only grows, and it lacks features of the spec in force: ${missing}`;
  const unread = describeMissingAttributes(attributes, spec);
  return unread && `a spec only grows, and it lacks traits of the spec in force: ${unread}`;
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

/** Throws `config_invalid` with every problem. */
export function readIdentityRules(bytes: Buffer, fileName = 'identity.yaml'): IdentityRules {
  return requireIdentityRules(bytes.toString('utf8'), { fileName });
}
