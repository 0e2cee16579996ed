import { isAppError, LruCache } from '@perennial/kernel';
import { type ModelManifest, parseManifest, toNamedScores } from '@perennial/model-manifest';
import type { Decoded } from './decode.js';

/** Manifests cached: a topic holds the scores of a few models. */
const MANIFESTS_KEPT_MAX = 64;

/** Output of `decodeValue` for the scores of a profile. */
interface ComputedScores {
  readonly modelHash: string;
  readonly scores: readonly number[];
}

/**
 * Adds the names of heads to the scores of `score.computed`. They stay a list where the model's manifest is
 * unavailable, for example in a namespace whose artifacts are stored elsewhere.
 */
export function createScoreNamer(
  loadManifest: (hash: string) => Promise<Buffer>,
): (decoded: Decoded) => Promise<Decoded> {
  const kept = new LruCache<string, ModelManifest>({
    entriesMax: MANIFESTS_KEPT_MAX,
    sizeMax: MANIFESTS_KEPT_MAX,
  });

  async function findManifest(hash: string): Promise<ModelManifest | undefined> {
    const known = kept.get(hash);
    if (known !== undefined) return known;
    try {
      const parsed = parseManifest(await loadManifest(hash));
      if ('problems' in parsed) return undefined;
      kept.set(hash, parsed.manifest);
      return parsed.manifest;
    } catch (error) {
      if (isAppError(error)) return undefined;
      throw error;
    }
  }

  return async (decoded) => {
    const { kind, value } = decoded;
    if (kind !== 'computed' || !hasScores(value)) return decoded;
    const manifest = await findManifest(value.modelHash);
    if (manifest === undefined || manifest.heads.length !== value.scores.length) return decoded;
    return { kind, value: { ...value, scores: toNamedScores(manifest, value.scores) } };
  };
}

function hasScores(value: unknown): value is ComputedScores {
  if (typeof value !== 'object' || value === null) return false;
  const { scores, modelHash } = value as Partial<ComputedScores>;
  return typeof modelHash === 'string' && Array.isArray(scores) && scores.length > 0;
}
