import { type ArtifactStore, type Artifacts, createArtifactCache, createArtifacts } from '@perennial/artifacts';
import { POPULATION_ROLLOUT_KIND, type Rollout } from '@perennial/contracts';
import type { OnEvaluationError } from '@perennial/expressions';
import {
  type CompiledFeatures,
  createSpecReader,
  type FeatureSpecs,
  loadSpecInForce,
  SPECS_MAX,
} from '@perennial/feature-engine';
import type { Lifecycle } from '@perennial/lifecycle';
import type { ModelManifest } from '@perennial/model-manifest';
import type { Population, Segments } from '@perennial/segments';
import { createPopulationReader } from './population/population-reader.js';
import { type BySpec, findMissingHeads, readLifecycle, readSegments, toRulesReader } from './rules.js';
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

interface Values {
  readonly features: CompiledFeatures;
  readonly model: ScoringModel;
  readonly lifecycle: BySpec<Lifecycle>;
  readonly segments: BySpec<Segments>;
}

/** Rules among what is in force on a partition, with the number of their rollout. */
interface RulesInForce<Rules> {
  readonly rules: Rules;
  readonly number: number;
}

/** Artifacts in force, loaded by hash and cached. A model's hash is that of its manifest, which names its file. */
export interface ScoringArtifacts {
  /** Loads a rollout's artifact; returns why it does not fit the others in force. Throws as `Artifacts.loadRollout`. */
  loadRollout: Artifacts<unknown>['loadRollout'];
  model(hash: string): Promise<ScoringModel>;
  /** The manifest alone, which names the heads of a model's scores. */
  manifest(hash: string): Promise<ModelManifest>;
  /** The chart in force, with conditions compiled for the vectors of the spec in force; undefined for none. */
  lifecycleInForce(inForce: ReadonlyMap<string, Rollout>): Promise<RulesInForce<Lifecycle> | undefined>;
  /** The segments likewise. */
  segmentsInForce(inForce: ReadonlyMap<string, Rollout>): Promise<RulesInForce<Segments> | undefined>;
  /** How features are spread over all profiles, by the hash of its rollout. */
  population(hash: string): Promise<Population>;
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
  options: ScoringArtifactsOptions,
): ScoringArtifacts {
  const base = createBaseArtifacts(store, options);
  const population = createPopulationReader(store);
  return {
    ...base,
    population: population.load,
    loadRollout: (rollout, inForce) =>
      rollout.kind === POPULATION_ROLLOUT_KIND ? population.loadRollout(rollout) : base.loadRollout(rollout, inForce),
    async segmentsInForce(inForce) {
      const found = await base.segmentsInForce(inForce);
      const rollout = inForce.get(POPULATION_ROLLOUT_KIND);
      if (found === undefined || rollout === undefined) return found;
      return { ...found, rules: await population.apply(found.rules, rollout.hash) };
    },
  };
}

/** All but the population: its segments have no thresholds yet. */
function createBaseArtifacts(
  store: Pick<ArtifactStore, 'load' | 'list'>,
  { specs, loadGraph, onModelLoaded, onConditionError }: ScoringArtifactsOptions,
): Omit<ScoringArtifacts, 'population'> {
  const manifest = createArtifactCache('model', (hash) => store.load('model', hash), {
    keptMax: MANIFESTS_KEPT_MAX,
    read: readManifest,
  });
  const specReader = createSpecReader(specs, store);
  const toSpec = (inForce: ReadonlyMap<string, Rollout>) =>
    loadSpecInForce(inForce, { specs, load: (hash) => get('features', hash) });

  async function checkRules(
    rulesFor: BySpec<Pick<Lifecycle | Segments, 'variables'>>,
    inForce: ReadonlyMap<string, Rollout>,
  ): Promise<string | undefined> {
    const rules = rulesFor(await toSpec(inForce));
    const model = inForce.get('model');
    const missing = model && findMissingHeads(rules, await manifest(model.hash));
    return missing && `it reads ${missing}, which model ${model.number} does not have`;
  }

  async function findRules<Kind extends 'lifecycle' | 'segments'>(
    kind: Kind,
    inForce: ReadonlyMap<string, Rollout>,
  ): Promise<RulesInForce<ReturnType<Values[Kind]>> | undefined> {
    const rollout = inForce.get(kind);
    if (rollout === undefined) return undefined;
    const rulesFor = (await get(kind, rollout.hash)) as BySpec<ReturnType<Values[Kind]>>;
    return { rules: rulesFor(await toSpec(inForce)), number: rollout.number };
  }

  const { get, loadRollout }: Artifacts<Values> = createArtifacts<Values>(store, {
    // Feature-store has checked it already: it forwards no rollout that does not fit.
    features: { keptMax: SPECS_MAX, read: specReader.read },
    model: {
      keptMax: KEPT_MAX,
      read: (bytes, hash) => loadScoringModel({ manifest: bytes, hash }, { store, loadGraph, onModelLoaded }),
      async check(model, inForce): Promise<string | undefined> {
        const problem = findFeatureProblem(model.manifest, await toSpec(inForce));
        if (problem !== undefined) return problem;
        for (const kind of ['lifecycle', 'segments'] as const) {
          const found = await findRules(kind, inForce);
          const missing = found && findMissingHeads(found.rules, model.manifest);
          if (missing !== undefined) return `${kind} ${found?.number} reads ${missing}, which it does not have`;
        }
        return undefined;
      },
    },
    lifecycle: {
      keptMax: KEPT_MAX,
      read: toRulesReader(readLifecycle, { fileName: 'lifecycle.yaml', onConditionError }),
      check: checkRules,
    },
    segments: {
      keptMax: KEPT_MAX,
      read: toRulesReader(readSegments, { fileName: 'segments.yaml', onConditionError }),
      check: checkRules,
    },
  });
  return {
    loadRollout,
    model: (hash) => get('model', hash),
    manifest,
    lifecycleInForce: (inForce) => findRules('lifecycle', inForce),
    segmentsInForce: (inForce) => findRules('segments', inForce),
    loadSpecs: specReader.readAll,
  };
}

/** The model of a manifest, with the graph that it names. */
async function loadScoringModel(
  { manifest, hash }: { readonly manifest: Buffer; readonly hash: string },
  {
    store,
    loadGraph,
    onModelLoaded,
  }: Pick<ScoringArtifactsOptions, 'loadGraph' | 'onModelLoaded'> & { readonly store: Pick<ArtifactStore, 'load'> },
): Promise<ScoringModel> {
  const declared = readManifest(manifest);
  const model = await openScoringModel(declared, await store.load('model-file', declared.file.sha256), loadGraph);
  onModelLoaded(hash, model);
  return model;
}
