import { openBlobStore } from '@perennial/blob-store';
import { EventArchive, ParquetFileWriter } from '@perennial/event-archive';
import type { LogRecord } from '@perennial/kafka';

const ROW_GROUP_ROWS = 1_000;

interface OpenFile {
  readonly writer: ParquetFileWriter;
  readonly partition: number;
  readonly first: number;
  readonly appendTimeMs: number;
  last: number;
}

/**
 * The events of the log as an archive of their own: that of the installation has the last ten minutes later, and a demo takes one.
 * It leaves out records without a key, which are of no profile.
 */
export class ArchiveCopy {
  readonly #files = new Map<number, OpenFile>();

  /** Records of a partition come in the order of their offsets. */
  add(record: LogRecord): void {
    const { partition, offset, timestampMs, key } = record;
    if (key === null) return;
    const file = this.#files.get(partition) ?? {
      writer: new ParquetFileWriter({ rowGroupRows: ROW_GROUP_ROWS }),
      partition,
      first: offset,
      appendTimeMs: timestampMs,
      last: offset,
    };
    this.#files.set(partition, file);
    file.writer.add(record);
    file.last = offset;
  }

  /** Once, after the last record. */
  async writeTo(folder: string, namespace: string): Promise<void> {
    const archive = new EventArchive(await openBlobStore({ kind: 'folder', folder }), namespace);
    for (const { writer, ...stretch } of this.#files.values()) await archive.write(stretch, writer.finish());
  }
}
