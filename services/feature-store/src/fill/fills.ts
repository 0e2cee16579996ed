import { type ArtifactStore, createArtifactCache } from '@perennial/artifacts';
import { type Rollout, toPartition } from '@perennial/contracts';
import type { EngineState, FeatureSpecs } from '@perennial/feature-engine';
import { AppError, isAppError, LruCache, must, toMessage } from '@perennial/kernel';
import type { FillInForce } from '../domain/fill.js';
import { FILL_TAG_DIGITS } from '../domain/profile-state.js';
import { decodeFill, type FillDocument, findPart } from './fill-document.js';
import { decodePart } from './part-bytes.js';

/** Documents kept: one is in force, another one may be on some partitions. */
const DOCUMENTS_MAX = 4;
/** Memory of the parts kept. After a switch each profile is looked up once. */
const PARTS_BYTES_MAX = 32 * 1_048_576;

/** A complete fill, ready to be taken. */
export interface LoadedFill extends FillInForce {
  readonly document: FillDocument;
}

type InForce = ReadonlyMap<string, Rollout>;

/** The fills that rollouts name. */
export interface Fills {
  /** As `Artifacts.loadRollout`, for the kind `feature-fill`. */
  loadRollout(rollout: Rollout, inForce: InForce): Promise<{ readonly reason: string } | undefined>;
  /** The fill in force; undefined before the first. Throws a retriable AppError while it cannot be read. */
  get(inForce: InForce): Promise<LoadedFill | undefined>;
  /** What a profile had below the fill's position; undefined for nothing. Throws a retriable AppError as `get`. */
  loadPart(fill: LoadedFill, key: string): Promise<EngineState | undefined>;
  /** The same of profiles that have joined: all of them together. */
  loadParts(fill: LoadedFill, keys: readonly string[]): Promise<EngineState | undefined>;
}

/** True between the rollout of a spec that is to be filled and that of its fill. */
export function isFilling(inForce: InForce, fill: Pick<LoadedFill, 'document'> | undefined): boolean {
  const spec = inForce.get('features')?.hash;
  return spec !== undefined && inForce.get('feature-filling')?.hash === spec && fill?.document.spec !== spec;
}

export function createFills(store: Pick<ArtifactStore, 'load'>, specs: FeatureSpecs): Fills {
  const loadDocument = createArtifactCache<FillDocument>('feature-fill', (hash) => store.load('feature-fill', hash), {
    keptMax: DOCUMENTS_MAX,
    read: decodeFill,
  });
  const parts = new LruCache<string, Promise<Map<string, Buffer>>>({
    entriesMax: Number.POSITIVE_INFINITY,
    sizeMax: PARTS_BYTES_MAX,
  });

  async function loadStates(hash: string): Promise<Map<string, Buffer>> {
    const bytes = await store.load('feature-fill-part', hash).catch((cause: unknown) => {
      throw new AppError('dependency_unavailable', `part ${hash} of a fill cannot be used: ${toMessage(cause)}`, {
        retriable: true,
        cause,
      });
    });
    const states = decodePart(bytes);
    parts.set(hash, Promise.resolve(states), bytes.length);
    return states;
  }

  function getStates(hash: string): Promise<Map<string, Buffer>> {
    const known = parts.get(hash);
    if (known !== undefined) return known;
    const loading = loadStates(hash).catch((cause: unknown) => {
      parts.delete(hash);
      throw cause;
    });
    parts.set(hash, loading);
    return loading;
  }

  async function loadPart({ document, spec }: LoadedFill, key: string): Promise<EngineState | undefined> {
    const { partitions } = document;
    const part = findPart(must(partitions[toPartition(key, partitions.length)], 'a partition of the fill'), key);
    const bytes = part && (await getStates(part.hash)).get(key);
    return bytes && spec.decode(bytes);
  }

  return {
    async loadRollout({ number, hash }, inForce) {
      // Accepted before: the spec in force may be a later one by now.
      if (inForce.get('feature-fill')?.hash === hash) return undefined;
      const reject = (why: string) => ({ reason: `feature-fill ${number} cannot come into force: ${why}` });
      try {
        const { spec } = await loadDocument(hash);
        if (inForce.get('features')?.hash !== spec) return reject('its spec is not the one in force');
        if (inForce.get('feature-filling')?.hash !== spec)
          return reject('its spec came into force without being filled');
        return undefined;
      } catch (error) {
        if (isAppError(error, 'artifact_invalid')) return reject(error.message);
        throw error;
      }
    },
    async get(inForce) {
      const rollout = inForce.get('feature-fill');
      if (rollout === undefined) return undefined;
      const document = await loadDocument(rollout.hash);
      const spec = specs.inForce({ hash: document.spec });
      return { tag: rollout.hash.slice(0, FILL_TAG_DIGITS), spec, document };
    },
    loadPart,
    async loadParts(fill, keys) {
      const parts = await Promise.all(keys.map((key) => loadPart(fill, key)));
      return parts.reduce((all, part) => (all && part ? fill.spec.merge(all, part) : (all ?? part)), undefined);
    },
  };
}
