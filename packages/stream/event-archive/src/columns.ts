import { isUtf8 } from 'node:buffer';
import { AcceptedRecord } from '@perennial/contracts';
import type { LogRecord, Unreadable } from '@perennial/kafka';
import { unreachable } from '@perennial/kernel';
import type { SchemaElement } from 'hyparquet';

/**
 * A record as a row: its raw parts, to restore it byte for byte, and its decoded fields, for people and tools. Times are ms, and
 * texts that hardly repeat bytes: in these forms they are written, and the library's own conversions take a tenth of the archive's time.
 */
export interface ArchiveRow {
  readonly partition: number;
  readonly offset: bigint;
  readonly append_time: bigint;
  /**
   * event, tick, rollout, or unreadable; of joins of profiles: link, join, hand_over, and forwarded for the copy of an event
   * that the joined profile got; of changes by hand: identity_change, and unmerge for each step of one; retraction of an event that is taken
   * back, whose message id, type and name it has; tag_change.
   */
  readonly kind: string;
  readonly profile_key: string | null;
  readonly message_id: Buffer | null;
  readonly source_id: string | null;
  readonly type: string | null;
  /**
   * Of a rollout: the kind of its artifact; of a hand-over: the key of the profile that joined; of a change: merge or
   * unmerge; of an unmerge: its step; of a change of a tag: the tag.
   */
  readonly name: string | null;
  /** Of an event: when it happened; of a tick: the log time reached. */
  readonly event_time: bigint | null;
  readonly received_at: bigint | null;
  readonly time_zone: string | null;
  /** JSON; of a rollout: number and hash; of what the log could not give: reason and message. */
  readonly properties: Buffer | null;
  /** Of an order or refund: what it is worth, as sent. */
  readonly amount: number | null;
  /** Of an event: code of ISO 4217, '' for the namespace's. */
  readonly currency: string | null;
  readonly record_key: Uint8Array | null;
  readonly record_value: Uint8Array | null;
  /** JSON: a list of names and values. */
  readonly record_headers: Buffer;
}

type ColumnName = keyof ArchiveRow;
type ColumnKind = 'int32' | 'int64' | 'double' | 'time' | 'text' | 'bytes';

const COLUMNS: Readonly<Record<ColumnName, { readonly kind: ColumnKind; readonly required?: true }>> = {
  partition: { kind: 'int32', required: true },
  offset: { kind: 'int64', required: true },
  append_time: { kind: 'time', required: true },
  kind: { kind: 'text', required: true },
  profile_key: { kind: 'text' },
  message_id: { kind: 'text' },
  source_id: { kind: 'text' },
  type: { kind: 'text' },
  name: { kind: 'text' },
  event_time: { kind: 'time' },
  received_at: { kind: 'time' },
  time_zone: { kind: 'text' },
  properties: { kind: 'text' },
  amount: { kind: 'double' },
  currency: { kind: 'text' },
  record_key: { kind: 'bytes' },
  record_value: { kind: 'bytes' },
  record_headers: { kind: 'text', required: true },
};

export const COLUMN_NAMES = Object.keys(COLUMNS) as readonly ColumnName[];

/** Columns needed to restore records; the others are for people. */
export const RECORD_COLUMNS = [
  'partition',
  'offset',
  'append_time',
  'record_key',
  'record_value',
  'record_headers',
] as const satisfies readonly ColumnName[];

export function toSchema(): SchemaElement[] {
  const columns = COLUMN_NAMES.map((name): SchemaElement => {
    const { kind, required } = COLUMNS[name];
    return { name, repetition_type: required ? 'REQUIRED' : 'OPTIONAL', ...toParquetType(kind) };
  });
  return [{ name: 'root', num_children: columns.length }, ...columns];
}

function toParquetType(kind: ColumnKind): Pick<SchemaElement, 'type' | 'converted_type'> {
  switch (kind) {
    case 'int32':
      return { type: 'INT32' };
    case 'int64':
      return { type: 'INT64' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'time':
      return { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' };
    case 'text':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8' };
    case 'bytes':
      return { type: 'BYTE_ARRAY' };
    default:
      return unreachable(kind);
  }
}

/**
 * What could not be read is kept without a value, however much of it could be: a processor has dead-lettered it, and a
 * rebuild, which gets what is archived, must do the same. It has no headers.
 */
export function toArchived(record: LogRecord): LogRecord {
  return record.unreadable === undefined ? record : { ...record, value: null };
}

export function toRow(record: LogRecord): ArchiveRow {
  return {
    partition: record.partition,
    offset: BigInt(record.offset),
    append_time: BigInt(Math.trunc(record.timestampMs)),
    profile_key: record.key === null ? null : record.key.toString(),
    ...(record.unreadable === undefined ? toContent(record.value) : toUnreadable(record.unreadable)),
    record_key: record.key,
    record_value: toArchived(record).value,
    record_headers: toHeaders(record.headers),
  };
}

const NO_HEADERS = Buffer.from('[]');

function toHeaders(headers: LogRecord['headers']): Buffer {
  const entries = Object.entries(headers);
  return entries.length === 0 ? NO_HEADERS : toJson(entries);
}

function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

type Content = Pick<
  ArchiveRow,
  | 'kind'
  | 'message_id'
  | 'source_id'
  | 'type'
  | 'name'
  | 'event_time'
  | 'received_at'
  | 'time_zone'
  | 'properties'
  | 'amount'
  | 'currency'
>;

const NOTHING = {
  message_id: null,
  source_id: null,
  type: null,
  name: null,
  event_time: null,
  received_at: null,
  time_zone: null,
  properties: null,
  amount: null,
  currency: null,
};

/** The first offset is left out: it depends on where the fetch began. */
function toUnreadable({ reason, message }: Unreadable): Content {
  return { ...NOTHING, kind: 'unreadable', properties: toJson({ reason, message }) };
}

/** A record that cannot be decoded is archived too: the platform dead-letters it, and a rebuild must do the same. */
function toContent(value: Buffer | null): Content {
  const record = decode(value);
  switch (record?.$case) {
    case 'event': {
      const event = record.value;
      return {
        kind: event.forwardedTo === undefined ? 'event' : 'forwarded',
        message_id: Buffer.from(event.messageId),
        source_id: event.sourceId,
        type: event.type,
        name: event.name,
        event_time: toTime(event.timestampMs),
        received_at: toTime(event.receivedAtMs),
        time_zone: event.timeZone,
        properties: isUtf8(event.propertiesJson) ? event.propertiesJson : Buffer.from(event.propertiesJson.toString()),
        amount: event.amount ?? null,
        currency: event.currency,
      };
    }
    case 'tick':
      return { ...NOTHING, kind: 'tick', event_time: toTime(record.value.timeMs) };
    case 'rollout': {
      const { kind, number, hash } = record.value;
      return { ...NOTHING, kind: 'rollout', name: kind, properties: toJson({ number, hash }) };
    }
    case 'link':
    case 'join':
      return { ...NOTHING, kind: record.$case };
    case 'handOver':
      return { ...NOTHING, kind: 'hand_over', name: record.value.from };
    case 'accountKnown':
      return { ...NOTHING, kind: 'account_known' };
    case 'accountLeft':
      return { ...NOTHING, kind: 'account_left' };
    case 'tagChange': {
      const { tag, given, kind, owner } = record.value;
      return { ...NOTHING, kind: 'tag_change', name: tag, properties: toJson({ given, kind, owner }) };
    }
    case 'identityChange': {
      const { kind, by, reason } = record.value;
      return { ...NOTHING, kind: 'identity_change', name: kind, properties: toJson({ by, reason }) };
    }
    case 'retraction': {
      const { messageId, original, askedAtMs, by, reason } = record.value;
      const { type = null, name = null } = original ?? {};
      return {
        ...NOTHING,
        kind: 'retraction',
        message_id: Buffer.from(messageId),
        type,
        name,
        received_at: toTime(askedAtMs),
        properties: toJson({ by, reason }),
      };
    }
    case 'unmerge': {
      const { step, number, attempt } = record.value;
      return { ...NOTHING, kind: 'unmerge', name: step, properties: toJson({ number, attempt }) };
    }
    case undefined:
      return { ...NOTHING, kind: 'unreadable' };
    default:
      return unreachable(record);
  }
}

/** Of a Date, by ECMA-262. */
const TIME_MS_MAX = 8.64e15;

/** Invalid bytes may decode as an event of the year 300,000: that must not stop the archive. */
function toTime(ms: number): bigint | null {
  return Math.abs(ms) <= TIME_MS_MAX ? BigInt(Math.trunc(ms)) : null;
}

function decode(value: Buffer | null): AcceptedRecord['record'] {
  if (value === null) return undefined;
  try {
    return AcceptedRecord.decode(value).record;
  } catch {
    // The kind says so already.
    return undefined;
  }
}
