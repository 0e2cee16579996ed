import type { ArchivedFile } from './file-name.js';

/** What is archived of a partition, derived from the file names. */
export interface ArchivedLog {
  /** In order; each adds at least one record that no earlier file has. */
  readonly files: readonly ArchivedFile[];
  /** Offset of the first record. */
  readonly first: number;
  /** Offset after the last archived record. */
  readonly next: number;
  /** Missing offset ranges in between: `from` to `to`, both included. */
  readonly gaps: ReadonlyArray<{ readonly from: number; readonly to: number }>;
}

/**
 * The files of one partition in order; undefined when there are none. Files may overlap: archivers whose clocks differ
 * may have closed a quiet window differently. A record is the same in every file, so only a file's new records count.
 */
export function toArchivedLog(files: readonly ArchivedFile[]): ArchivedLog | undefined {
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
