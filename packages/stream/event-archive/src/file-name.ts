import { AppError } from '@perennial/kernel';

/** The records of one partition in a file: all that exist from offset `first` to `last`, which is the last one's. */
interface ArchivedRange {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** The parts of a file's name. */
export interface ArchivedStretch extends ArchivedRange {
  /** Of the first record, ms. */
  readonly appendTimeMs: number;
}

export interface ArchivedFile extends ArchivedRange {
  /** Key in the blob store. */
  readonly name: string;
}

const FOLDER = 'event.accepted';
const PARTITION_DIGITS = 2;
const OFFSET_DIGITS = 12;
const NAME = /^day=\d{4}-\d{2}-\d{2}\/p(\d{2,})-(\d{12,})-(\d{12,})\.parquet$/;

/** Prefix of every file of a namespace's archive; ends in a slash. */
export function toArchivePrefix(namespace: string): string {
  return `${namespace}/${FOLDER}/`;
}

/** `live/event.accepted/day=2026-11-24/p03-000000000000-000000000999.parquet`; the day is that of append, UTC. */
export function toArchiveName(namespace: string, { partition, first, last, appendTimeMs }: ArchivedStretch): string {
  const day = new Date(appendTimeMs).toISOString().slice(0, 10);
  const range = [first, last].map((offset) => String(offset).padStart(OFFSET_DIGITS, '0')).join('-');
  return `${toArchivePrefix(namespace)}day=${day}/p${String(partition).padStart(PARTITION_DIGITS, '0')}-${range}.parquet`;
}

/** Undefined for a key that is no file of this archive. Throws `data_damaged` for an end before the beginning. */
export function parseArchiveName(namespace: string, name: string): ArchivedFile | undefined {
  const prefix = toArchivePrefix(namespace);
  const match = name.startsWith(prefix) ? NAME.exec(name.slice(prefix.length)) : null;
  if (match === null) return undefined;
  const [partition = 0, first = 0, last = 0] = match.slice(1).map(Number);
  if (last < first) throw new AppError('data_damaged', `${name}: its last offset is below its first`);
  return { name, partition, first, last };
}
