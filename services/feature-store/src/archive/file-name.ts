import { AppError } from '@perennial/kernel';

/** The records of one partition that a file holds: `first` to `last`, none missing. */
interface ArchivedRange {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
}

/** What a file's name is made of. */
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

/** What every file of a namespace's archive begins with; ends in a slash. */
export function toArchivePrefix(namespace: string): string {
  return `${namespace}/${FOLDER}/`;
}

/** `live/event.accepted/day=2026-11-24/p03-000000000000-000000000999.parquet`; the day is that of append, UTC. */
export function toArchiveName(namespace: string, { partition, first, last, appendTimeMs }: ArchivedStretch): string {
  const day = new Date(appendTimeMs).toISOString().slice(0, 10);
  const range = [first, last].map((offset) => String(offset).padStart(OFFSET_DIGITS, '0')).join('-');
  return `${toArchivePrefix(namespace)}day=${day}/p${String(partition).padStart(PARTITION_DIGITS, '0')}-${range}.parquet`;
}

/** Undefined for what is no file of this namespace's archive. Throws `data_damaged` for a range that ends before it begins. */
export function parseArchiveName(namespace: string, name: string): ArchivedFile | undefined {
  const prefix = toArchivePrefix(namespace);
  const match = name.startsWith(prefix) ? NAME.exec(name.slice(prefix.length)) : null;
  if (match === null) return undefined;
  const [partition = 0, first = 0, last = 0] = match.slice(1).map(Number);
  if (last < first) throw new AppError('data_damaged', `${name}: its last offset is below its first`);
  return { name, partition, first, last };
}
