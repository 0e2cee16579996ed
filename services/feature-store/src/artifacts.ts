import { type ArtifactStore, type Artifacts, createArtifacts } from '@perennial/artifacts';
import type { Rollout } from '@perennial/contracts';
import {
  type CompiledFeatures,
  createSpecReader,
  describeMissing,
  type FeatureSpecs,
  SPECS_MAX,
} from '@perennial/feature-engine';

/** The artifact in force: the feature spec. */
export interface FeatureArtifacts {
  /** Adds a spec to those that this process knows; returns why it does not fit. Throws as `Artifacts.loadRollout`. */
  loadRollout: Artifacts<unknown>['loadRollout'];
  /** Loads every registered spec: for a state whose spec came into force after this process started. */
  loadAll(): Promise<void>;
}

export function createFeatureArtifacts(
  store: Pick<ArtifactStore, 'load' | 'list'>,
  { specs }: { readonly specs: FeatureSpecs },
): FeatureArtifacts {
  const reader = createSpecReader(specs, store);
  const { loadRollout } = createArtifacts<{ features: CompiledFeatures }>(store, {
    features: {
      keptMax: SPECS_MAX,
      read: reader.read,
      check: async (spec, inForce) => findLoss(spec, inForce, specs),
    },
  });
  return { loadRollout, loadAll: reader.readAll };
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
  const isFree = [...inForce.keys()].every((kind) => kind === 'features');
  const missing = isFree ? undefined : describeMissing(specs.inForce(inForce.get('features')).features, spec);
  return missing && `a spec only grows, and it lacks features of the spec in force: ${missing}`;
}
