import { type ByteReader, DamagedBytes } from './byte-reader.js';
import type { LogRecord, Unreadable } from './log.js';
import { RECORD_LIMITS } from './record-limits.js';

/** What the records of one batch share. */
export interface BatchContext {
  readonly topic: string;
  readonly partition: number;
  readonly baseOffset: number;
  readonly baseTimestampMs: number;
  /** Append time of the broker; undefined where the topic keeps the producers' times. */
  readonly appendedAtMs: number | undefined;
}

type Headers = Readonly<Record<string, string>>;

const NO_HEADERS: Headers = Object.freeze({});
const { headersMax, headerBytesMax } = RECORD_LIMITS;

/**
 * Decodes one record (https://kafka.apache.org/documentation/#record) in time that is linear in its bytes. One with too
 * many headers is unreadable, and costs nothing: its headers are not looked at. Throws DamagedBytes.
 */
export function decodeRecord(reader: ByteReader, context: BatchContext): LogRecord {
  reader.skip(1);
  const { topic, partition, appendedAtMs } = context;
  const timestampDelta = reader.varlong();
  const timestampMs = appendedAtMs ?? context.baseTimestampMs + timestampDelta;
  const offset = context.baseOffset + reader.varint();
  const key = reader.varintBytes();
  const value = reader.varintBytes();
  const headers = decodeHeaders(reader, offset);
  if (!('unreadable' in headers)) return { topic, partition, offset, timestampMs, key, value, headers: headers.read };
  const { unreadable } = headers;
  return { topic, partition, offset, timestampMs, key, value, headers: NO_HEADERS, unreadable };
}

/** As UTF-8 text; of a repeated header the first value; a header without a value is left out. */
function decodeHeaders(reader: ByteReader, offset: number): { read: Headers } | { unreadable: Unreadable } {
  const count = reader.varint();
  if (count === 0) return { read: NO_HEADERS };
  if (count < 0) throw new DamagedBytes(`a record with ${count} headers`);
  if (count > headersMax) {
    const message = `invalid record: it has ${count} headers, ${headersMax} at most`;
    return { unreadable: { reason: 'too_many_headers', message, firstOffset: offset } };
  }
  const from = reader.at;
  const read: Record<string, string> = {};
  for (let index = 0; index < count; index++) {
    const name = reader.varintText() ?? '';
    const value = reader.varintText();
    if (reader.at - from > headerBytesMax) {
      const message = `invalid record: its headers have more than ${headerBytesMax} bytes`;
      return { unreadable: { reason: 'headers_too_large', message, firstOffset: offset } };
    }
    if (value !== null && !Object.hasOwn(read, name)) read[name] = value;
  }
  return { read };
}
