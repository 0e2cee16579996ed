import { AppError, isAppError, toMessage } from '@perennial/kernel';
import type { SnapshotArchive } from './snapshot-archive.js';
import type { SnapshotManifest } from './snapshot-format.js';

/** A full snapshot and its increments, oldest first; the last one is restored. */
export type SnapshotLineage = readonly [SnapshotManifest, ...SnapshotManifest[]];

/** The log's bounds, and how far it is known to be processed. */
export interface LogReach {
  /** First offset still in the log. */
  readonly low: number;
  /** Offset that the next record will get. */
  readonly high: number;
  /** The group's offset, undefined when none was ever committed: a hint that the partition was begun. */
  readonly committed: number | undefined;
}

/**
 * The newest readable snapshot with its lineage; undefined when there is no snapshot at all. A damaged one is reported
 * and noted in `damaged`, and the previous one is used. Throws `data_damaged` when none is left.
 */
export async function chooseSnapshot(
  archive: SnapshotArchive,
  damaged: Set<string>,
  onDamaged: (snapshot: string, error: unknown) => void,
): Promise<SnapshotLineage | undefined> {
  const ids = await archive.list();
  for (const id of ids) {
    try {
      return await readLineage(archive, id, damaged);
    } catch (error) {
      if (!isAppError(error, 'data_damaged')) throw error;
      if (!damaged.has(id)) onDamaged(id, error);
      damaged.add(id);
    }
  }
  if (ids.length === 0) return undefined;
  throw new AppError(
    'data_damaged',
    `${toPlace(archive)}: the state store is empty and none of its ${ids.length} snapshots can be read. Restore the snapshots from a copy, or start a new namespace.`,
  );
}

async function readLineage(
  archive: SnapshotArchive,
  id: string,
  damaged: ReadonlySet<string>,
): Promise<SnapshotLineage> {
  if (damaged.has(id)) throw new AppError('data_damaged', `snapshot ${id} was found damaged before`);
  const manifest = await archive.readManifest(id);
  if (manifest.parent === null) return [manifest];
  try {
    return [...(await readLineage(archive, manifest.parent, damaged)), manifest] as unknown as SnapshotLineage;
  } catch (error) {
    if (!isAppError(error, 'data_damaged')) throw error;
    throw new AppError('data_damaged', `snapshot ${id} adds to one that cannot be read: ${toMessage(error)}`);
  }
}

/**
 * Throws `contract_violation`, saying what to do, when the log no longer covers the snapshot from its beginning to its
 * end.
 */
export function checkReach(
  archive: SnapshotArchive,
  { id, begin, end }: SnapshotManifest,
  { low, high }: LogReach,
): void {
  const place = toPlace(archive);
  if (begin.next < low) {
    throw new AppError(
      'contract_violation',
      `${place}: the state store is empty, its newest readable snapshot ${id} begins at offset ${begin.next}, but the log now begins at ${low}: records between are gone. Restore the log or newer snapshots from a copy, or start a new namespace; and let the topic's retention outlast the interval of snapshots.`,
    );
  }
  if (end > high) {
    throw new AppError(
      'contract_violation',
      `${place}: the state store is empty, its newest readable snapshot ${id} knows of records below offset ${end}, but the log ends at ${high}: the log lost its tail, or is another one. Restore the log, or start a new namespace.`,
    );
  }
}

/** Throws `contract_violation` for a partition that was begun before, so that it is not treated as new. */
export function checkNeverBegun(archive: SnapshotArchive, { low, committed }: LogReach): void {
  if (low === 0 && (committed ?? 0) === 0) return;
  const sign = low > 0 ? `the log now begins at ${low}` : `its group has committed offset ${committed}`;
  throw new AppError(
    'contract_violation',
    `${toPlace(archive)}: the state store is empty and there is no snapshot, but ${sign}: it was worked on before. Check where snapshots are kept; restore them or the state store from a copy${low > 0 ? ', or start a new namespace' : '; or, to process the whole log again, delete the group’s offsets'}.`,
  );
}

function toPlace({ subject }: SnapshotArchive): string {
  return `${subject.processor}, partition ${subject.partition} of ${subject.topic}`;
}
