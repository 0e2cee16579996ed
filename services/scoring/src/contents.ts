import { createContentKeeper, findRefusal } from '@perennial/artifacts';
import type { Rollout } from '@perennial/contracts';
import { type OnEvaluationError, requireValid } from '@perennial/expressions';
import { type CompiledFeatures, type FeatureSpecs, oncePerSpec } from '@perennial/feature-engine';
import type { Lifecycle } from '@perennial/lifecycle';
import { parseLifecycle } from '@perennial/lifecycle';
import type { ExecutionProvider, Model } from '@perennial/onnx';
import { loadModel, unpackModel } from '@perennial/onnx';

/** Models and charts kept ready, of each kind. More in force at once (each partition may differ) load again when needed. */
const CONTENTS_KEPT_MAX = 8;

/** What rollouts name, loaded by hash and kept ready. */
export interface Contents {
  /**
   * Loads what a rollout names; says why it cannot come into force. Throws a retriable AppError for what may yet be had:
   * the partition waits, visibly, and nothing is skipped.
   */
  loadRollout(rollout: Rollout): Promise<{ readonly reason: string } | undefined>;
  model(hash: string): Promise<Model>;
  /** The chart, its conditions compiled for the vectors of a spec. */
  lifecycle(hash: string, spec: CompiledFeatures): Promise<Lifecycle>;
}

export interface ContentsOptions {
  /** The registry's bytes of a hash. */
  readonly load: (hash: string) => Promise<Buffer>;
  readonly specs: FeatureSpecs;
  readonly providers: readonly ExecutionProvider[];
  readonly onModelLoaded: (hash: string, model: Model) => void;
  readonly onConditionError: OnEvaluationError;
}

export function createContents(options: ContentsOptions): Contents {
  const { load, providers, specs, onConditionError } = options;
  async function readModel(content: Buffer, hash: string): Promise<Model> {
    const model = await loadModel(unpackModel(content), {
      featureSpecHash: specs.initial.specHash,
      featureNames: specs.initial.names,
      providers,
    });
    options.onModelLoaded(hash, model);
    return model;
  }
  const models = createContentKeeper({ load, read: readModel }, { kind: 'model', entriesMax: CONTENTS_KEPT_MAX });
  const lifecyclesOf = oncePerSpec((spec) =>
    createContentKeeper(
      { load, read: (content) => readLifecycle(content, { fileName: 'lifecycle.yaml', spec, onConditionError }) },
      { kind: 'lifecycle', entriesMax: CONTENTS_KEPT_MAX },
    ),
  );
  return {
    async loadRollout({ kind, hash }) {
      if (kind === 'model') return findRefusal(models(hash));
      return kind === 'lifecycle' ? findRefusal(lifecyclesOf(specs.initial)(hash)) : undefined;
    },
    model: models,
    lifecycle: (hash, spec) => lifecyclesOf(spec)(hash),
  };
}

/** A chart out of its YAML; throws `config_invalid` with every problem, one a line. */
export function readLifecycle(
  yaml: Buffer,
  {
    fileName,
    spec,
    onConditionError,
  }: { fileName: string; spec: CompiledFeatures; onConditionError?: OnEvaluationError },
): Lifecycle {
  return requireValid(
    parseLifecycle(yaml.toString('utf8'), {
      fileName,
      featureNames: spec.names,
      ...(onConditionError === undefined ? {} : { onEvaluationError: onConditionError }),
    }),
  );
}
