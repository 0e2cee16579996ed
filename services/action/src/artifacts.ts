import { type ArtifactStore, type Artifacts, createArtifacts } from '@perennial/artifacts';
import type { Rollout } from '@perennial/contracts';
import {
  describeMissingHeads,
  describeMissingSegments,
  listHeads,
  listSegments,
  type OnEvaluationError,
  requireValid,
} from '@perennial/expressions';
import {
  type CompiledFeatures,
  createSpecReader,
  type FeatureSpecs,
  loadSpecInForce,
  oncePerSpec,
  SPECS_MAX,
  toConditionNames,
} from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { type ModelManifest, parseManifest } from '@perennial/model-manifest';
import { type Policy, parsePolicy } from '@perennial/policy';
import { readSegmentNames } from '@perennial/segments';
import type { ActionTelemetry } from './telemetry.js';

/** Lists of the names of segments cached. */
const SEGMENTS_KEPT_MAX = 16;

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
  /** The names in the order of the file. */
  readonly segments: readonly string[];
}

/** Artifacts in force, loaded by hash and cached. */
export interface ActionArtifacts {
  /** Loads a rollout's artifact; returns why it does not fit the others in force. Throws as `Artifacts.loadRollout`. */
  loadRollout: Artifacts<unknown>['loadRollout'];
  /** The feature spec in force, loaded where this process has not seen it yet. */
  spec(inForce: ReadonlyMap<string, Rollout>): Promise<CompiledFeatures>;
  /** The policy, with conditions compiled for the vectors of a spec. */
  policy(hash: string, spec: CompiledFeatures): Promise<Policy>;
  /** The manifest of a model, which describes its scores; only the scoring service loads the model itself. */
  manifest(hash: string): Promise<ModelManifest>;
  /** The names of segments, in the order in which scores count them; only the scoring service has their rules. */
  segmentNames(hash: string): Promise<readonly string[]>;
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
      async check(policyFor, inForce, { hash }): Promise<string | undefined> {
        const policy = policyFor(await toSpec(inForce));
        const { model, segments } = Object.fromEntries(inForce);
        // After a start it is in force already, whichever model and segments came since.
        if (inForce.get('policy')?.hash === hash) return undefined;
        const heads = model && findMissingHeads(policy, await get('model', model.hash));
        if (heads !== undefined) return `it reads ${heads}, which model ${model?.number} does not have`;
        const names = segments && findMissingSegments(policy, await get('segments', segments.hash));
        return names && `it reads ${names}, which segments ${segments?.number} do not have`;
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
    segments: {
      keptMax: SEGMENTS_KEPT_MAX,
      read: (bytes) => readSegmentNames(bytes.toString('utf8')),
      // Never rejected, as a model is not.
      async check(names, inForce, { number }) {
        const current = inForce.get('policy');
        if (current === undefined) return undefined;
        const missing = findMissingSegments((await get('policy', current.hash))(await toSpec(inForce)), names);
        if (missing !== undefined) telemetry.segmentsMissing({ policy: current.number, segments: number, missing });
        return undefined;
      },
    },
  });
  return {
    loadRollout,
    spec: toSpec,
    policy: async (hash, spec) => (await get('policy', hash))(spec),
    manifest: (hash) => get('model', hash),
    segmentNames: (hash) => get('segments', hash),
  };
}

function findMissingHeads(policy: Policy, manifest: ModelManifest): string | undefined {
  return describeMissingHeads(listHeads(policy.variables), manifest.slots.keys());
}

function findMissingSegments(policy: Policy, names: readonly string[]): string | undefined {
  return describeMissingSegments(listSegments(policy.variables), names);
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
    /** The segments likewise. */
    segmentNames?: readonly string[] | undefined;
    spec: CompiledFeatures;
    onEvaluationError?: OnEvaluationError;
  },
): Policy {
  return requireValid(parsePolicy(yaml, { ...options, ...toConditionNames(spec) }));
}
