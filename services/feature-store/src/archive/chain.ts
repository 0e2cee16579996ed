import type { ArchivedFile } from './file-name.js';

/** What the names say that a partition's archive holds. */
export interface ArchiveChain {
  /** In order; each brings at least one record that none before it has. */
  readonly files: readonly ArchivedFile[];
  /** Offset of the first record. */
  readonly first: number;
  /** Offset of the first record that the archive does not have, above all that it has. */
  readonly next: number;
  /** Offsets that are missing in between: `from` to `to`, both included. */
  readonly gaps: ReadonlyArray<{ readonly from: number; readonly to: number }>;
}

/**
 * The files of one partition in order, undefined when there is none. Files may overlap: two archivers whose clocks differ may
 * have closed a quiet window differently. A record is the same in every file, so only what a file adds counts.
 */
export function toChain(files: readonly ArchivedFile[]): ArchiveChain | undefined {
  const sorted = [...files].sort((a, b) => a.first - b.first || b.last - a.last);
  const [head] = sorted;
  if (head === undefined) return undefined;
  const kept: ArchivedFile[] = [];
  const gaps: Array<{ from: number; to: number }> = [];
  let next = head.first;
  for (const file of sorted) {
    if (file.last < next) continue;
    if (file.first > next) gaps.push({ from: next, to: file.first - 1 });
    kept.push(file);
    next = file.last + 1;
  }
  return { files: kept, first: head.first, next, gaps };
}
