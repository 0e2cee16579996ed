import { type ContentKeeper, createContentKeeper } from '@perennial/artifacts';
import { AppError } from '@perennial/kernel';
import { type ModelManifest, parseManifest } from '@perennial/model-manifest';

/** Manifests kept ready: of the models in force, and of those whose scores waiting actions were decided by. */
export const MANIFESTS_KEPT_MAX = 64;

/** Manifests of models by their hash, which says of what scores are: the model itself is scoring's matter. */
export function createManifests(load: (hash: string) => Promise<Buffer>): ContentKeeper<ModelManifest> {
  return createContentKeeper({ load, read: readManifest }, { kind: 'model', entriesMax: MANIFESTS_KEPT_MAX });
}

function readManifest(bytes: Buffer): ModelManifest {
  const parsed = parseManifest(bytes);
  if ('manifest' in parsed) return parsed.manifest;
  throw new AppError('model_refused', parsed.problems.join('; '));
}
