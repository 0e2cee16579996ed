import type { ArtifactStore } from '@perennial/artifacts';
import type { ArchivedLog, EventArchive } from '@perennial/event-archive';
import { AppError } from '@perennial/kernel';
import { ArchiveReader } from '@perennial/service-feature-store';
import { EXPORT_LIMITS } from './limits.js';

export interface ArchiveSource {
  readonly archive: EventArchive;
  readonly namespace: string;
  /** Holds the rate tables that the log names. */
  readonly artifacts: Pick<ArtifactStore, 'load' | 'list'>;
}

export interface ArchivedPartition {
  readonly partition: number;
  readonly archived: ArchivedLog;
  /** Highest log time of its last file; 0 when that has none. */
  readonly endMs: number;
}

export interface ArchiveRange {
  readonly partitions: readonly ArchivedPartition[];
  /** Earliest log time of a first file. */
  readonly firstMs: number;
  /** Log time that every partition has reached: up to here all is known. */
  readonly endMs: number;
  readonly missingRecords: number;
}

/** Some partitions of an archive. */
export interface ArchivePartitions {
  readonly source: ArchiveSource;
  readonly partitions: readonly ArchivedPartition[];
}

/** The partitions and how far they reach. Throws `not_found` for an empty archive. */
export async function findRange({ archive, namespace, artifacts }: ArchiveSource): Promise<ArchiveRange> {
  const partitions: ArchivedPartition[] = [];
  let firstMs = Number.POSITIVE_INFINITY;
  for (const [partition, archived] of [...(await archive.list())].sort(([a], [b]) => a - b)) {
    const [head, last] = [archived.files[0], archived.files.at(-1)];
    if (head === undefined || last === undefined) continue;
    const timesOf = async (file: typeof head) => {
      const entries = await new ArchiveReader(namespace, artifacts).read(await archive.read(file));
      return entries.flatMap((entry) =>
        entry.kind === 'tick' ? [entry.timeMs] : entry.kind === 'event' ? [entry.receivedAtMs] : [],
      );
    };
    firstMs = (await timesOf(head)).reduce((first, ms) => Math.min(first, ms), firstMs);
    partitions.push({ partition, archived, endMs: (await timesOf(last)).reduce((end, ms) => Math.max(end, ms), 0) });
  }
  if (partitions.length === 0 || firstMs === Number.POSITIVE_INFINITY)
    throw new AppError('not_found', `the archive holds no events of namespace ${namespace}`);
  const gaps = partitions.flatMap(({ archived }) => archived.gaps);
  return {
    partitions,
    firstMs,
    endMs: partitions.reduce((end, one) => Math.min(end, one.endMs), Number.POSITIVE_INFINITY),
    missingRecords:
      gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0) +
      partitions.reduce((sum, { archived }) => sum + archived.first, 0),
  };
}

/** Passes every record of a partition that counts to `onEntry`, in order; others get the thread now and then. */
export async function readPartition(
  { archive, namespace, artifacts }: ArchiveSource,
  { archived }: ArchivedPartition,
  {
    onEntry,
    signal,
  }: {
    readonly onEntry: (entry: Awaited<ReturnType<ArchiveReader['read']>>[number]) => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const reader = new ArchiveReader(namespace, artifacts);
  for await (const records of archive.readLog(archived, archived.next)) {
    for (let from = 0; from < records.length; from += EXPORT_LIMITS.recordsAtOnceMax) {
      signal?.throwIfAborted();
      const entries = await reader.read(records.slice(from, from + EXPORT_LIMITS.recordsAtOnceMax));
      for (const entry of entries) onEntry(entry);
    }
  }
}
