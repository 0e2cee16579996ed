import { createFolderBlobStore } from '@perennial/blob-store';
import { AcceptedEvent, AcceptedRecord, type Join, toPartition, toTopic } from '@perennial/contracts';
import { EventArchive, ParquetFileWriter } from '@perennial/event-archive';
import type { LogRecord } from '@perennial/kafka';

/** An event as ingest would have accepted it. */
export interface SyntheticEvent {
  readonly profileKey: string;
  readonly messageId: string;
  readonly type: string;
  /** Of a track event, else ''. */
  readonly name: string;
  readonly timestampMs: number;
  /** When it came in and was appended; never falls from one event to the next. */
  readonly receivedAtMs: number;
  readonly properties: unknown;
  /** Of an order or refund. */
  readonly amount?: number | undefined;
  /** '' for the namespace's. */
  readonly currency?: string | undefined;
}

/** A tick on every partition: the log has reached this time. */
export interface SyntheticTick {
  readonly tickMs: number;
}

/** On the key of a weaker profile: it joins a stronger one. */
export interface SyntheticJoin {
  readonly join: Join;
  readonly receivedAtMs: number;
}

/** An event is taken back, or one that is yet to come. */
interface SyntheticRetraction {
  readonly retracted: Pick<SyntheticEvent, 'profileKey' | 'messageId'>;
  readonly isEarly: boolean;
  readonly receivedAtMs: number;
}

export type SyntheticEntry = SyntheticEvent | SyntheticTick | SyntheticJoin | SyntheticRetraction;

export interface SyntheticArchive {
  readonly folder: string;
  readonly namespace: string;
  readonly partitions: number;
  /** Longest span of append time of a file; divides a day. */
  readonly fileMs: number;
}

/** As ARCHIVE_LIMITS has it. */
const ROW_GROUP_ROWS = 250;

/** Writes an archive as feature-store's archiver would have, for tests and benchmarks. Returns the number of files. */
export async function writeSyntheticArchive(
  { folder, namespace, partitions, fileMs }: SyntheticArchive,
  entries: Iterable<SyntheticEntry>,
): Promise<number> {
  const archive = new EventArchive(createFolderBlobStore(folder), namespace);
  const topic = toTopic(namespace, 'eventAccepted');
  const open = Array.from({ length: partitions }, (): LogRecord[] => []);
  const next = Array.from({ length: partitions }, () => 0);
  let files = 0;
  const close = async (partition: number) => {
    const records = open[partition] ?? [];
    const [head] = records;
    if (head === undefined) return;
    const writer = new ParquetFileWriter({ rowGroupRows: ROW_GROUP_ROWS });
    for (const record of records) writer.add(record);
    const stretch = { partition, first: head.offset, last: head.offset + records.length - 1 };
    await archive.write({ ...stretch, appendTimeMs: head.timestampMs }, writer.finish());
    open[partition] = [];
    files += 1;
  };
  for (const entry of entries) {
    const isTick = 'tickMs' in entry;
    const timestampMs = isTick ? entry.tickMs : entry.receivedAtMs;
    const targets = isTick ? next.keys() : [toPartition(toKey(entry), partitions)];
    for (const partition of targets) {
      const head = open[partition]?.[0];
      if (head !== undefined && toWindow(head.timestampMs, fileMs) !== toWindow(timestampMs, fileMs))
        await close(partition);
      const offset = next[partition] ?? 0;
      next[partition] = offset + 1;
      open[partition]?.push({ topic, partition, offset, timestampMs, headers: {}, ...toContent(entry) });
    }
  }
  for (const partition of next.keys()) await close(partition);
  return files;
}

function toWindow(timestampMs: number, fileMs: number): number {
  return Math.floor(timestampMs / fileMs);
}

function toKey(entry: SyntheticEvent | SyntheticJoin | SyntheticRetraction): string {
  if ('retracted' in entry) return entry.retracted.profileKey;
  return 'join' in entry ? (entry.join.self?.key ?? '') : entry.profileKey;
}

function toContent(entry: SyntheticEntry): Pick<LogRecord, 'key' | 'value'> {
  if ('tickMs' in entry) return { key: null, value: encode({ $case: 'tick', value: { timeMs: entry.tickMs } }) };
  if ('join' in entry) return { key: Buffer.from(toKey(entry)), value: encode({ $case: 'join', value: entry.join }) };
  if ('retracted' in entry) return { key: Buffer.from(toKey(entry)), value: encode(toRetraction(entry)) };
  const { profileKey, messageId, type, name, timestampMs, receivedAtMs, properties, amount, currency = '' } = entry;
  const value = encode({
    $case: 'event',
    value: {
      ...AcceptedEvent.decode(new Uint8Array()),
      messageId,
      sourceId: 'synthetic',
      type,
      name,
      timestampMs,
      receivedAtMs,
      subject: Buffer.from([1, 2, 3]),
      anonymous: false,
      propertiesJson: Buffer.from(JSON.stringify(properties)),
      timeZone: '',
      currency,
      ...(amount === undefined ? {} : { amount }),
    },
  });
  return { key: Buffer.from(profileKey), value };
}

function toRetraction({ retracted, isEarly, receivedAtMs }: SyntheticRetraction): AcceptedRecord['record'] {
  const { profileKey, messageId } = retracted;
  const self = { key: profileKey, strength: 240, subject: Buffer.alloc(0) };
  const original = isEarly ? undefined : { ...AcceptedEvent.decode(new Uint8Array()), messageId };
  const asked = { by: 'olga', reason: '', askedAtMs: receivedAtMs };
  const value = { ...asked, self, messageId, original, amountOnly: false, copy: false, currency: '' };
  return { $case: 'retraction', value };
}

function encode(record: AcceptedRecord['record']): Buffer {
  return Buffer.from(AcceptedRecord.encode({ record }).finish());
}
