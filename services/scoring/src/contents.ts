import { createContentKeeper, findRefusal } from '@perennial/artifacts';
import type { Rollout } from '@perennial/contracts';
import { describeMissingHeads, listHeads, type OnEvaluationError, requireValid } from '@perennial/expressions';
import { type CompiledFeatures, type FeatureSpecs, oncePerSpec } from '@perennial/feature-engine';
import type { Lifecycle } from '@perennial/lifecycle';
import { parseLifecycle } from '@perennial/lifecycle';
import type { ModelManifest } from '@perennial/model-manifest';
import type { ExecutionProvider } from '@perennial/onnx';
import { findFeatureProblem, openScoringModel, readManifest, type ScoringModel } from './scoring-model.js';

/** Models and charts kept ready, of each kind. More in force at once (each partition may differ) load again when needed. */
const CONTENTS_KEPT_MAX = 8;

/** Manifests kept ready: those of the models in force, and of the scores that states still hold. */
export const MANIFESTS_KEPT_MAX = 64;

/** What rollouts name, loaded by hash and kept ready. A model goes by the hash of its manifest, which names its file. */
export interface Contents {
  /**
   * Loads what a rollout names; says why it cannot come into force beside what is. Throws a retriable AppError for what
   * may yet be had: the partition waits, visibly, and nothing is skipped.
   */
  loadRollout(
    rollout: Rollout,
    inForce?: ReadonlyMap<string, Rollout>,
  ): Promise<{ readonly reason: string } | undefined>;
  model(hash: string): Promise<ScoringModel>;
  /** The manifest alone: which heads the scores of a model are. */
  manifest(hash: string): Promise<ModelManifest>;
  /** The chart, its conditions compiled for the vectors of a spec. */
  lifecycle(hash: string, spec: CompiledFeatures): Promise<Lifecycle>;
}

export interface ContentsOptions {
  /** The registry's bytes of a hash. */
  readonly load: (hash: string) => Promise<Buffer>;
  readonly specs: FeatureSpecs;
  readonly providers: readonly ExecutionProvider[];
  readonly onModelLoaded: (hash: string, model: ScoringModel) => void;
  readonly onConditionError: OnEvaluationError;
}

export function createContents(options: ContentsOptions): Contents {
  const { load, providers, specs, onConditionError } = options;
  const manifests = createContentKeeper(
    { load, read: readManifest },
    { kind: 'model', entriesMax: MANIFESTS_KEPT_MAX },
  );
  const models = createContentKeeper(
    {
      load,
      async read(content, hash) {
        const manifest = readManifest(content);
        const model = await openScoringModel(manifest, await load(manifest.file.sha256), { providers });
        options.onModelLoaded(hash, model);
        return model;
      },
    },
    { kind: 'model', entriesMax: CONTENTS_KEPT_MAX },
  );
  const lifecyclesOf = oncePerSpec((spec) =>
    createContentKeeper(
      { load, read: (content) => readLifecycle(content, { fileName: 'lifecycle.yaml', spec, onConditionError }) },
      { kind: 'lifecycle', entriesMax: CONTENTS_KEPT_MAX },
    ),
  );

  /** A chart reads no head that the model in force lacks, whichever of the two came last. */
  async function checkHeads(rollout: Rollout, inForce: ReadonlyMap<string, Rollout>) {
    const other = inForce.get(rollout.kind === 'model' ? 'lifecycle' : 'model');
    if (other === undefined) return undefined;
    const lifecycles = lifecyclesOf(specs.inForce(inForce.get('features')));
    const [model, lifecycle] = rollout.kind === 'model' ? [rollout, other] : [other, rollout];
    const read = listHeads((await lifecycles(lifecycle.hash)).variables);
    const missing = describeMissingHeads(read, (await manifests(model.hash)).slots.keys());
    if (missing === undefined) return undefined;
    return {
      reason: `the lifecycle ${lifecycle.number} reads ${missing}, which the model ${model.number} does not have`,
    };
  }

  async function checkFeatures({ number, hash }: Rollout, spec: CompiledFeatures) {
    const problem = findFeatureProblem(await manifests(hash), spec);
    return problem === undefined ? undefined : { reason: `model ${number} is rejected: ${problem}` };
  }

  return {
    async loadRollout(rollout, inForce = new Map()) {
      const spec = specs.inForce(inForce.get('features'));
      if (rollout.kind === 'model') {
        const refusal = (await findRefusal(models(rollout.hash))) ?? (await checkFeatures(rollout, spec));
        return refusal ?? (await checkHeads(rollout, inForce));
      }
      if (rollout.kind === 'lifecycle')
        return (await findRefusal(lifecyclesOf(spec)(rollout.hash))) ?? (await checkHeads(rollout, inForce));
      return undefined;
    },
    model: models,
    manifest: manifests,
    lifecycle: (hash, spec) => lifecyclesOf(spec)(hash),
  };
}

/** A chart out of its YAML; throws `config_invalid` with every problem, one a line. */
export function readLifecycle(
  yaml: Buffer,
  {
    spec,
    onConditionError,
    ...options
  }: {
    readonly fileName: string;
    readonly spec: CompiledFeatures;
    /** The heads that conditions may read; any of them without. */
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
