import { isAppError } from '@perennial/kernel';
import { type SnapshotArchive, toCreatedAtMs } from './snapshot-archive.js';
import type { SnapshotLimits } from './snapshot-limits.js';

/**
 * Removes what no restore would use: all but the newest full snapshots with their increments, and objects without a
 * manifest once they are too old to belong to a snapshot in progress. Returns the number removed.
 */
export async function removeOldSnapshots(
  archive: SnapshotArchive,
  limits: SnapshotLimits,
  nowMs: number,
): Promise<number> {
  const complete = await archive.list();
  const parents = await readParents(archive, complete);
  const roots = complete.filter((id) => parents.get(id) === null);
  const kept = new Set(roots.slice(0, limits.lineagesKept));
  const isKept = (id: string): boolean => {
    const parent = parents.get(id);
    return kept.has(id) || (typeof parent === 'string' && isKept(parent));
  };
  const isOld = (id: string) => nowMs - (toCreatedAtMs(id) ?? nowMs) > limits.unfinishedAgeMsMax;
  // One that is unreadable, or whose parent is gone, is also removed by age: it may be needed for an investigation.
  const isWhole = (id: string): boolean => {
    const parent = parents.get(id);
    return parent === null || (typeof parent === 'string' && isWhole(parent));
  };
  const removable = complete.filter((id) => !isKept(id) && (isWhole(id) || isOld(id)));
  const unfinished = (await archive.listWithChunks()).filter((id) => !parents.has(id) && isOld(id));
  for (const id of [...removable, ...unfinished]) await archive.remove(id);
  return removable.length + unfinished.length;
}

/** Parent by id: null for a full snapshot, undefined for an unreadable one. */
async function readParents(
  archive: SnapshotArchive,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string | null | undefined>> {
  const parents = new Map<string, string | null | undefined>();
  for (const id of ids) {
    try {
      parents.set(id, (await archive.readManifest(id)).parent);
    } catch (error) {
      if (!isAppError(error, 'data_damaged')) throw error;
      parents.set(id, undefined);
    }
  }
  return parents;
}
