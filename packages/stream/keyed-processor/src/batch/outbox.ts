import type { OutgoingRecord } from '@perennial/kafka';
import { AppError, toTextBytes } from '@perennial/kernel';
import { ByteReader, ByteWriter } from '../store/byte-codec.js';

/*
 * An outbox is the list of records that a commit owes to Kafka, kept with the commit and published after it.
 * Layout: version byte, then for each record: topic, partition, key, value, header count, headers, as in byte-codec.ts.
 */

const VERSION = 1;

/** Bytes of one record in an outbox, the same on every machine. */
export function toRecordBytes(record: OutgoingRecord): number {
  let bytes = 4 + toTextBytes(record.topic) + 4 + 4 + (record.key?.length ?? 0) + 4 + (record.value?.length ?? 0) + 4;
  for (const name in record.headers) bytes += 8 + toTextBytes(name) + toTextBytes(record.headers[name] ?? '');
  return bytes;
}

export function encodeOutbox(records: readonly OutgoingRecord[]): Buffer {
  const writer = new ByteWriter(records.reduce((sum, record) => sum + toRecordBytes(record), 1));
  writer.byte(VERSION);
  for (const record of records) {
    writer.string(record.topic);
    writer.number(record.partition);
    writer.bytes(record.key);
    writer.bytes(record.value);
    let headers = 0;
    for (const _name in record.headers) headers++;
    writer.number(headers);
    for (const name in record.headers) {
      writer.string(name);
      writer.string(record.headers[name] ?? '');
    }
  }
  return writer.buffer;
}

/** Throws `contract_violation` for bytes of another version. */
export function decodeOutbox(bytes: Buffer): OutgoingRecord[] {
  const reader = new ByteReader(bytes, 'outbox');
  const version = reader.byte();
  if (version !== VERSION) throw new AppError('contract_violation', `outbox of unknown version ${version}`);
  const records: OutgoingRecord[] = [];
  while (!reader.done) {
    const topic = reader.string();
    const partition = reader.number();
    const key = reader.bytes();
    const value = reader.bytes();
    const headers: Record<string, string> = {};
    for (let left = reader.number(); left > 0; left--) {
      const name = reader.string();
      headers[name] = reader.string();
    }
    records.push({ topic, partition, key, value, headers });
  }
  return records;
}
