import type { ArtifactKind, Rollout } from '@perennial/contracts';
import { isAppError } from '@perennial/kernel';
import { type ArtifactCache, type ArtifactReader, createArtifactCache, type InForceByKind } from './artifact-cache.js';
import type { ArtifactStore } from './artifact-store.js';

/** By kind, what a service reads out of its bytes. Rollouts of other kinds pass it by. */
export type ArtifactReaders<Values> = { readonly [Kind in keyof Values]: ArtifactReader<Values[Kind]> };

/** An artifact that is in force: what was read out of it, and what the rollout says of it. */
export interface InForce<T> {
  readonly value: T;
  readonly number: number;
  readonly hash: string;
}

/** Where a step stands in the log: what is in force there, by kind. */
export interface Context {
  readonly context: { readonly inForce: InForceByKind };
}

/** The artifacts that a service works by, ready to use. `Values` is what it reads out of each kind. */
export interface Artifacts<Values> {
  /**
   * Loads what a rollout names; says why it cannot come into force, which follows from its bytes and from what is in force
   * already. Throws a retriable AppError for what may yet be had: the partition waits, visibly, and nothing is skipped.
   */
  loadRollout(rollout: Rollout, inForce: InForceByKind): Promise<{ readonly reason: string } | undefined>;
  /** Throws `artifact_invalid`, or a retriable AppError for what may yet be had. */
  get<Kind extends keyof Values>(kind: Kind, hash: string): Promise<Values[Kind]>;
  /** For each item of a batch what is in force of a kind: mostly one for all of them. Throws as `get` does. */
  listInForce<Kind extends keyof Values>(
    kind: Kind,
    items: readonly Context[],
  ): Promise<Array<InForce<Values[Kind]> | undefined>>;
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
    async loadRollout({ kind, number, hash }, inForce) {
      if (!isRead(kind)) return undefined;
      try {
        const value = await get(kind, hash);
        const misfit = await readers[kind].check?.(value, inForce);
        return misfit === undefined ? undefined : { reason: `${kind} ${number} cannot come into force: ${misfit}` };
      } catch (error) {
        if (isAppError(error, 'artifact_invalid')) return { reason: error.message };
        throw error;
      }
    },
    get,
    async listInForce(kind, items) {
      const found = new Map<Rollout, InForce<Values[typeof kind]>>();
      const rollouts = items.map(({ context }) => context.inForce.get(String(kind)));
      for (const rollout of rollouts) {
        if (rollout === undefined || found.has(rollout)) continue;
        const { number, hash } = rollout;
        found.set(rollout, { value: await get(kind, hash), number, hash });
      }
      return rollouts.map((rollout) => rollout && found.get(rollout));
    },
  };
}
