import type { Activation } from '@perennial/contracts';
import { requireValid } from '@perennial/expressions';
import { FEATURE_SPEC } from '@perennial/feature-engine';
import type { Lifecycle } from '@perennial/lifecycle';
import { parseLifecycle } from '@perennial/lifecycle';
import type { ExecutionProvider, Model } from '@perennial/onnx';
import { loadModel, unpackModel } from '@perennial/onnx';
import { createContentKeeper } from '@perennial/registry';

/** Kinds of configuration that scoring understands; activations of others pass through. */
export const CONTENT_KINDS = ['lifecycle', 'model'] as const;

/** Models and charts kept ready, of each kind. More in force at once (each partition may differ) load again when needed. */
export const CONTENTS_KEPT_MAX = 8;

/** What activations name, loaded by hash and kept ready. */
export interface Contents {
  /** Loads what an activation names. Throws a retriable AppError: the partition waits, visibly, and nothing is skipped. */
  activate(activation: Activation): Promise<void>;
  model(hash: string): Promise<Model>;
  lifecycle(hash: string): Promise<Lifecycle>;
}

export interface ContentsOptions {
  /** The registry's bytes of a hash. */
  readonly load: (hash: string) => Promise<Buffer>;
  readonly providers: readonly ExecutionProvider[];
  readonly onModelLoaded: (hash: string, model: Model) => void;
}

export function createContents(options: ContentsOptions): Contents {
  const models = createContentKeeper(
    async (hash) => {
      const model = await loadModel(unpackModel(await options.load(hash)), {
        featureSpecHash: FEATURE_SPEC.hash,
        featureNames: FEATURE_SPEC.names,
        providers: options.providers,
      });
      options.onModelLoaded(hash, model);
      return model;
    },
    { kind: 'model', entriesMax: CONTENTS_KEPT_MAX },
  );
  const lifecycles = createContentKeeper(async (hash) => readLifecycle(await options.load(hash), `lifecycle ${hash}`), {
    kind: 'lifecycle',
    entriesMax: CONTENTS_KEPT_MAX,
  });
  return {
    async activate({ kind, hash }) {
      if (kind === 'model') await models(hash);
      else if (kind === 'lifecycle') await lifecycles(hash);
    },
    model: models,
    lifecycle: lifecycles,
  };
}

/** A chart out of its YAML; throws `config_invalid` with every problem, one a line. */
export function readLifecycle(yaml: Buffer, fileName: string): Lifecycle {
  return requireValid(parseLifecycle(yaml.toString('utf8'), { fileName, featureNames: FEATURE_SPEC.names }));
}
