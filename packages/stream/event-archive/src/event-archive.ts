import type { BlobStore } from '@perennial/blob-store';
import { toTopic } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { AppError, must } from '@perennial/kernel';
import { type ArchivedLog, toArchivedLog } from './archived-log.js';
import {
  type ArchivedFile,
  type ArchivedStretch,
  parseArchiveName,
  toArchiveName,
  toArchivePrefix,
} from './file-name.js';
import { decodeArchiveFile } from './parquet-file.js';

/** The archived records of one namespace's `event.accepted`, in a blob store. */
export class EventArchive {
  readonly #blobs: BlobStore;
  readonly #namespace: string;

  constructor(blobs: BlobStore, namespace: string) {
    this.#blobs = blobs;
    this.#namespace = namespace;
  }

  /** The archived files by partition; a partition without a file is absent. */
  async list(): Promise<ReadonlyMap<number, ArchivedLog>> {
    const files = new Map<number, ArchivedFile[]>();
    for (const name of await this.#blobs.list(toArchivePrefix(this.#namespace))) {
      const file = parseArchiveName(this.#namespace, name);
      if (file === undefined) continue;
      const known = files.get(file.partition) ?? [];
      known.push(file);
      files.set(file.partition, known);
    }
    return new Map([...files].map(([partition, own]) => [partition, must(toArchivedLog(own), 'a file')]));
  }

  /** Stores a file under its name. Writing it twice changes nothing. */
  async write(stretch: ArchivedStretch, bytes: Buffer): Promise<void> {
    await this.#blobs.put(toArchiveName(this.#namespace, stretch), bytes);
  }

  /** The records of a file. Throws `data_damaged` when it is missing, damaged, or does not match its name. */
  async read(file: ArchivedFile): Promise<LogRecord[]> {
    const bytes = await this.#blobs.get(file.name);
    if (bytes === undefined) throw new AppError('data_damaged', `${file.name} is not there`);
    const topic = toTopic(this.#namespace, 'eventAccepted');
    const records = await decodeArchiveFile(bytes, { name: file.name, topic });
    if (!isOf(file, records))
      throw new AppError('data_damaged', `${file.name} does not hold the records that its name tells of`);
    return records;
  }

  /** Records of an archive from its beginning, those below `end` only, file by file; overlapping records come once. */
  async *readLog(archived: ArchivedLog, end: number): AsyncGenerator<readonly LogRecord[]> {
    let next = archived.first;
    for (const file of archived.files) {
      if (file.first >= end) return;
      const records = await this.read(file);
      const from = next;
      next = file.last + 1;
      yield records.filter(({ offset }) => offset >= from && offset < end);
    }
  }
}

/** Some offsets have no record; that none is missing follows from the file's checksums. */
function isOf({ partition, first, last }: ArchivedFile, records: readonly LogRecord[]): boolean {
  let next = first;
  for (const record of records) {
    if (record.partition !== partition || record.offset < next) return false;
    next = record.offset + 1;
  }
  return next === last + 1;
}
