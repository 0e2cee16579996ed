import type { ArtifactKind, Rollout } from '@perennial/contracts';
import { isAppError, toMessage } from '@perennial/kernel';
import {
  type ArtifactCache,
  type ArtifactReader,
  createArtifactCache,
  type InForceByKind,
  isInvalid,
} from './artifact-cache.js';
import type { ArtifactStore } from './artifact-store.js';

/** For each kind, how a service reads its bytes. Rollouts of other kinds are ignored. */
export type ArtifactReaders<Values> = { readonly [Kind in keyof Values]: ArtifactReader<Values[Kind]> };

/** The parsed artifacts that a service uses. `Values` is the parsed type of each kind. */
export interface Artifacts<Values> {
  /**
   * Loads the artifact that a rollout names. Returns the reason if it cannot come into force, which depends only on its
   * bytes and on what is in force already. Throws a retriable AppError for failures that may pass: the partition waits,
   * visibly, and nothing is skipped.
   */
  loadRollout(rollout: Rollout, inForce: InForceByKind): Promise<{ readonly reason: string } | undefined>;
  /** Throws `artifact_invalid`, or a retriable AppError for failures that may pass. */
  get<Kind extends keyof Values>(kind: Kind, hash: string): Promise<Values[Kind]>;
}

export function createArtifacts<Values extends { readonly [Kind in ArtifactKind]?: unknown }>(
  store: Pick<ArtifactStore, 'load'>,
  readers: ArtifactReaders<Values>,
): Artifacts<Values> {
  const caches = new Map<PropertyKey, ArtifactCache<unknown>>();
  for (const kind of Object.keys(readers) as Array<keyof Values & ArtifactKind>)
    caches.set(
      kind,
      createArtifactCache(kind, (hash) => store.load(kind, hash), readers[kind]),
    );

  function get<Kind extends keyof Values>(kind: Kind, hash: string): Promise<Values[Kind]> {
    const cache = caches.get(kind) as ArtifactCache<Values[Kind]>;
    return cache(hash);
  }

  const isRead = (kind: string): kind is keyof Values & ArtifactKind => Object.hasOwn(readers, kind);

  return {
    async loadRollout(rollout, inForce) {
      const { kind, number, hash } = rollout;
      if (!isRead(kind)) return undefined;
      try {
        const value = await get(kind, hash);
        const misfit = await readers[kind].check?.(value, inForce, rollout);
        return misfit === undefined ? undefined : { reason: `${kind} ${number} cannot come into force: ${misfit}` };
      } catch (error) {
        if (isAppError(error, 'artifact_invalid')) return { reason: error.message };
        if (isInvalid(error)) return { reason: `${kind} ${hash} is invalid: ${toMessage(error)}` };
        throw error;
      }
    },
    get,
  };
}
