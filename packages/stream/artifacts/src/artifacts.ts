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

/** By kind, what a service reads out of its bytes. Rollouts of other kinds pass it by. */
export type ArtifactReaders<Values> = { readonly [Kind in keyof Values]: ArtifactReader<Values[Kind]> };

/** The artifacts that a service works by, ready to use. `Values` is what it reads out of each kind. */
export interface Artifacts<Values> {
  /**
   * Loads what a rollout names; says why it cannot come into force, which follows from its bytes and from what is in force
   * already. Throws a retriable AppError for what may yet be had: the partition waits, visibly, and nothing is skipped.
   */
  loadRollout(rollout: Rollout, inForce: InForceByKind): Promise<{ readonly reason: string } | undefined>;
  /** Throws `artifact_invalid`, or a retriable AppError for what may yet be had. */
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
