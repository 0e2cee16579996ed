import { AppError } from '@perennial/kernel';

/** Fields of a partition's meta that a reader asks for, in this order, together with states or after them. */
export const READER_FIELDS = ['next', 'logTime', 'restoring'] as const;

/**
 * The partition's log time in ms, out of READER_FIELDS. Throws a retriable `dependency_unavailable` while states are not
 * there to be read: an absent one must not be taken for a profile never seen when the store was emptied or is being filled.
 */
export function toReadableLogTime(fields: ReadonlyArray<string | null>, partition: number): number {
  const [next = null, logTime = null, restoring = null] = fields;
  const problem =
    next === null
      ? 'is not there: nobody has begun it, or Redis was emptied'
      : restoring !== null && restoring !== ''
        ? 'is being restored from a snapshot'
        : undefined;
  if (problem === undefined) return Number(logTime ?? 0);
  throw new AppError('dependency_unavailable', `partition ${partition} ${problem}`, { retriable: true });
}
