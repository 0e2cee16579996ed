import { parseManifest } from './parse-manifest.js';

/** Number of models registered last whose heads a condition may read. */
const MODELS_LOOKED_AT_MAX = 16;

/**
 * Names of the heads that a chart or policy may read: those of the models registered last (`models` in the order in which
 * they were registered), each once. Undefined while there is no model: then any head may be read.
 */
export async function listKnownHeads(
  models: ReadonlyArray<{ readonly hash: string }>,
  loadManifest: (hash: string) => Promise<Uint8Array>,
): Promise<readonly string[] | undefined> {
  if (models.length === 0) return undefined;
  const latest = models.slice(-MODELS_LOOKED_AT_MAX);
  const manifests = await Promise.all(latest.map(({ hash }) => loadManifest(hash)));
  const names = manifests.flatMap((bytes) => {
    const parsed = parseManifest(bytes);
    return 'manifest' in parsed ? parsed.manifest.heads.map(({ name }) => name) : [];
  });
  return [...new Set(names)];
}
