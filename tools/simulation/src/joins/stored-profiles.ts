import type { ArtifactStore } from '@perennial/artifacts';
import { toPartition } from '@perennial/contracts';
import { type StoredNode, toParts } from '@perennial/identity';
import { AppError } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { createParts } from '@perennial/service-feature-store';
import type { RestingWorld } from '../subject.js';

export type JoinParts = ReturnType<typeof createParts> & { readonly artifactStore: ArtifactStore };
export type JoinDefinition = JoinParts['definition'];
/** What a step of it takes. */
export type JoinInput = Extract<Parameters<JoinDefinition['step']>[0]['cause'], { readonly kind: 'record' }>['input'];
type StoredProfile = NonNullable<ReturnType<JoinDefinition['codec']['decode']>>;

/** What the store has under keys, and what is in force there, as another process reads it. Throws `dependency_unavailable`. */
export function readStored(
  world: RestingWorld,
  definition: JoinDefinition,
  keys: readonly string[],
): Awaited<ReturnType<ReadStates<StoredProfile>>> {
  return keys.map((key) => {
    const { meta, states } = world.contents({ stage: 0, partition: toPartition(key, world.partitions) });
    if (meta === undefined || meta.restoring !== undefined)
      throw new AppError('dependency_unavailable', 'the partition is not there yet', { retriable: true });
    const text = states[key];
    const state = text === undefined ? undefined : definition.codec.decode(Buffer.from(text, 'latin1'));
    return { state, logTimeMs: meta.logTimeMs, inForce: new Map(meta.inForce.map((one) => [one.kind, one])) };
  });
}

type Profile = StoredNode<Exclude<StoredProfile, { readonly node: unknown }>>;

/** At rest: the parts of what is stored under each key. */
export function readAllStored(world: RestingWorld, definition: JoinDefinition): Map<string, Profile> {
  const found = new Map<string, Profile>();
  for (let partition = 0; partition < world.partitions; partition++) {
    for (const [key, text] of Object.entries(world.contents({ stage: 0, partition }).states))
      found.set(key, toParts(definition.codec.decode(Buffer.from(text, 'latin1'))) as Profile);
  }
  return found;
}
