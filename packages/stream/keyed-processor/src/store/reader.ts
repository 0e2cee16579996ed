import type { Rollout } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';

/** Fields of a partition's meta that a reader requests, in this order, together with states or after them. */
export const READER_FIELDS = ['next', 'logTime', 'restoring', 'inForce'] as const;

/** What a reader sees of a partition. */
export interface ReadablePartition {
  /** Highest tick, 0 before the first. */
  readonly logTimeMs: number;
  /** What is in force there, by kind. */
  readonly inForce: ReadonlyMap<string, Rollout>;
}

/**
 * Parses READER_FIELDS. Throws a retriable `dependency_unavailable` while states cannot be read: when the store was
 * emptied or is being restored, a missing state must not be taken for a new profile.
 */
export function toReadablePartition(fields: ReadonlyArray<string | null>, partition: number): ReadablePartition {
  const [next = null, logTime = null, restoring = null, inForce = null] = fields;
  const problem =
    next === null
      ? 'is not there: nobody has begun it, or Redis was emptied'
      : restoring !== null && restoring !== ''
        ? 'is being restored from a snapshot'
        : undefined;
  if (problem === undefined) {
    const rollouts = JSON.parse(inForce ?? '[]') as Rollout[];
    return { logTimeMs: Number(logTime ?? 0), inForce: new Map(rollouts.map((rollout) => [rollout.kind, rollout])) };
  }
  throw new AppError('dependency_unavailable', `partition ${partition} ${problem}`, { retriable: true });
}
