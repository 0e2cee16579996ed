import { type ArtifactStore, type Artifacts, createArtifacts } from '@perennial/artifacts';
import type { Rollout } from '@perennial/contracts';
import { describeMissingHeads, listHeads, type OnEvaluationError, requireValid } from '@perennial/expressions';
import {
  type CompiledFeatures,
  createSpecReader,
  type FeatureSpecs,
  loadSpecInForce,
  oncePerSpec,
  SPECS_MAX,
} from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { type ModelManifest, parseManifest } from '@perennial/model-manifest';
import { type Policy, parsePolicy } from '@perennial/policy';
import type { ActionTelemetry } from './telemetry.js';

/** Policies cached. Each partition may have another one in force; above this number policies are loaded again. */
const POLICIES_KEPT_MAX = 16;

/** Manifests cached: those of the models in force, and of the models whose scores waiting actions were decided by. */
const MANIFESTS_KEPT_MAX = 64;

const FILE = { fileName: 'policy.yaml' };

/** A policy with conditions compiled for the vectors of a spec; throws `config_invalid` for features it lacks. */
type PolicyBySpec = (spec: CompiledFeatures) => Policy;

interface Values {
  readonly features: CompiledFeatures;
  readonly policy: PolicyBySpec;
  readonly model: ModelManifest;
}

/** Artifacts in force, loaded by hash and cached. */
export interface ActionArtifacts {
  /** Loads a rollout's artifact; returns why it does not fit the others in force. Throws as `Artifacts.loadRollout`. */
  loadRollout: Artifacts<unknown>['loadRollout'];
  /** The policy, with conditions compiled for the vectors of a spec. */
  policy(hash: string, spec: CompiledFeatures): Promise<Policy>;
  /** The manifest of a model, which describes its scores; only the scoring service loads the model itself. */
  manifest(hash: string): Promise<ModelManifest>;
}

export function createActionArtifacts(
  store: Pick<ArtifactStore, 'load' | 'list'>,
  { specs, telemetry }: { readonly specs: FeatureSpecs; readonly telemetry: ActionTelemetry },
): ActionArtifacts {
  const onEvaluationError = telemetry.conditionFailed;
  const specReader = createSpecReader(specs, store);
  const toSpec = (inForce: ReadonlyMap<string, Rollout>) =>
    loadSpecInForce(inForce, { specs, load: (hash) => get('features', hash) });

  const { get, loadRollout } = createArtifacts<Values>(store, {
    // Feature-store has checked it already: it forwards no rollout that does not fit.
    features: { keptMax: SPECS_MAX, read: specReader.read },
    policy: {
      keptMax: POLICIES_KEPT_MAX,
      read: (bytes) => oncePerSpec((spec) => readPolicy(bytes.toString('utf8'), { ...FILE, spec, onEvaluationError })),
      async check(policyFor, inForce, { hash }) {
        const policy = policyFor(await toSpec(inForce));
        const model = inForce.get('model');
        // After a start it is in force already, whichever model came since.
        if (model === undefined || inForce.get('policy')?.hash === hash) return undefined;
        const missing = findMissingHeads(policy, await get('model', model.hash));
        return missing && `it reads ${missing}, which model ${model.number} does not have`;
      },
    },
    model: {
      keptMax: MANIFESTS_KEPT_MAX,
      read: readManifest,
      // Never rejected for missing heads: scoring has it in force already, and its scores arrive. Conditions then find
      // no value, which is reported.
      async check(manifest, inForce, { number }) {
        const current = inForce.get('policy');
        if (current === undefined) return undefined;
        const missing = findMissingHeads((await get('policy', current.hash))(await toSpec(inForce)), manifest);
        if (missing !== undefined) telemetry.headsMissing({ policy: current.number, model: number, missing });
        return undefined;
      },
    },
  });
  return {
    loadRollout,
    policy: async (hash, spec) => (await get('policy', hash))(spec),
    manifest: (hash) => get('model', hash),
  };
}

function findMissingHeads(policy: Policy, manifest: ModelManifest): string | undefined {
  return describeMissingHeads(listHeads(policy.variables), manifest.slots.keys());
}

function readManifest(bytes: Buffer): ModelManifest {
  const parsed = parseManifest(bytes);
  if ('manifest' in parsed) return parsed.manifest;
  throw new AppError('artifact_invalid', parsed.problems.join('; '));
}

/** Parses a policy from its YAML; throws `config_invalid` with every problem, one per line. */
export function readPolicy(
  yaml: string,
  {
    spec,
    ...options
  }: {
    fileName: string;
    stages?: Iterable<string>;
    /** The heads that conditions may read; any head when absent. */
    headNames?: Iterable<string> | undefined;
    spec: CompiledFeatures;
    onEvaluationError?: OnEvaluationError;
  },
): Policy {
  return requireValid(parsePolicy(yaml, { ...options, featureNames: spec.names }));
}
