import { type ArtifactStore, type Artifacts, createArtifactCache, createArtifacts } from '@perennial/artifacts';
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
import type { Lifecycle } from '@perennial/lifecycle';
import { parseLifecycle } from '@perennial/lifecycle';
import type { ModelManifest } from '@perennial/model-manifest';
import {
  findFeatureProblem,
  type LoadGraph,
  openScoringModel,
  readManifest,
  type ScoringModel,
} from './scoring-model.js';

/** Models and charts cached, per kind. If more are in force (each partition may differ), they are loaded again. */
const KEPT_MAX = 8;

/** Manifests cached: those of the models in force, and of the scores that states still hold. */
const MANIFESTS_KEPT_MAX = 64;

const CHART_FILE = { fileName: 'lifecycle.yaml' };

/** A chart with conditions compiled for the vectors of a spec; throws `config_invalid` for features it lacks. */
type ChartBySpec = (spec: CompiledFeatures) => Lifecycle;

interface Values {
  readonly features: CompiledFeatures;
  readonly model: ScoringModel;
  readonly lifecycle: ChartBySpec;
}

/** Artifacts in force, loaded by hash and cached. A model's hash is that of its manifest, which names its file. */
export interface ScoringArtifacts {
  /** Loads a rollout's artifact; returns why it does not fit the others in force. Throws as `Artifacts.loadRollout`. */
  loadRollout: Artifacts<unknown>['loadRollout'];
  model(hash: string): Promise<ScoringModel>;
  /** The manifest alone, which names the heads of a model's scores. */
  manifest(hash: string): Promise<ModelManifest>;
  /** The chart, with conditions compiled for the vectors of a spec. */
  lifecycle(hash: string, spec: CompiledFeatures): Promise<Lifecycle>;
  /** Loads every registered feature spec: for a state whose spec came into force after this process started. */
  loadSpecs(): Promise<void>;
}

export interface ScoringArtifactsOptions {
  readonly specs: FeatureSpecs;
  readonly loadGraph: LoadGraph;
  readonly onModelLoaded: (hash: string, model: ScoringModel) => void;
  readonly onConditionError: OnEvaluationError;
}

export function createScoringArtifacts(
  store: Pick<ArtifactStore, 'load' | 'list'>,
  { specs, loadGraph, onModelLoaded, onConditionError }: ScoringArtifactsOptions,
): ScoringArtifacts {
  const manifest = createArtifactCache('model', (hash) => store.load('model', hash), {
    keptMax: MANIFESTS_KEPT_MAX,
    read: readManifest,
  });
  const specReader = createSpecReader(specs, store);
  const toSpec = (inForce: ReadonlyMap<string, Rollout>) =>
    loadSpecInForce(inForce, { specs, load: (hash) => get('features', hash) });

  async function readModel(bytes: Buffer, hash: string): Promise<ScoringModel> {
    const declared = readManifest(bytes);
    const file = await store.load('model-file', declared.file.sha256);
    const model = await openScoringModel(declared, file, loadGraph);
    onModelLoaded(hash, model);
    return model;
  }

  const { get, loadRollout } = createArtifacts<Values>(store, {
    // Feature-store has checked it already: it forwards no rollout that does not fit.
    features: { keptMax: SPECS_MAX, read: specReader.read },
    model: {
      keptMax: KEPT_MAX,
      read: readModel,
      async check(model, inForce) {
        const spec = await toSpec(inForce);
        const problem = findFeatureProblem(model.manifest, spec);
        const lifecycle = inForce.get('lifecycle');
        if (problem !== undefined || lifecycle === undefined) return problem;
        const missing = findMissingHeads((await get('lifecycle', lifecycle.hash))(spec), model.manifest);
        return missing && `lifecycle ${lifecycle.number} reads ${missing}, which it does not have`;
      },
    },
    lifecycle: {
      keptMax: KEPT_MAX,
      read: (bytes) => oncePerSpec((spec) => readLifecycle(bytes, { ...CHART_FILE, spec, onConditionError })),
      async check(chartFor, inForce) {
        const chart = chartFor(await toSpec(inForce));
        const model = inForce.get('model');
        const missing = model && findMissingHeads(chart, await manifest(model.hash));
        return missing && `it reads ${missing}, which model ${model.number} does not have`;
      },
    },
  });
  return {
    loadRollout,
    model: (hash) => get('model', hash),
    manifest,
    lifecycle: async (hash, spec) => (await get('lifecycle', hash))(spec),
    loadSpecs: specReader.readAll,
  };
}

/** Invariant: a chart reads only heads of the model in force, whichever of the two came last. */
function findMissingHeads(lifecycle: Lifecycle, manifest: ModelManifest): string | undefined {
  return describeMissingHeads(listHeads(lifecycle.variables), manifest.slots.keys());
}

/** Parses a chart from its YAML; throws `config_invalid` with every problem, one per line. */
export function readLifecycle(
  yaml: Buffer,
  {
    spec,
    onConditionError,
    ...options
  }: {
    readonly fileName: string;
    readonly spec: CompiledFeatures;
    /** The heads that conditions may read; any head when absent. */
    readonly headNames?: Iterable<string> | undefined;
    readonly onConditionError?: OnEvaluationError;
  },
): Lifecycle {
  return requireValid(
    parseLifecycle(yaml.toString('utf8'), {
      ...options,
      featureNames: spec.names,
      ...(onConditionError === undefined ? {} : { onEvaluationError: onConditionError }),
    }),
  );
}
