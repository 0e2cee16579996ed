import { createHash } from 'node:crypto';
import {
  encodeLogPosition,
  encodePosition,
  HEADERS,
  type LogPosition,
  type Position,
  parseLogPosition,
  parsePosition,
} from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { REDRIVEN_PREFIX } from './located-record.js';
import { toRecordBytes } from './outbox.js';

const CAUSE_LENGTH_MAX = 1000;

/**
 * The headers that a dead letter adds to the record's own; the record may itself have been redriven from an earlier
 * letter.
 */
const ADDED_HEADERS: ReadonlySet<string> = new Set([
  HEADERS.deadLetterCause,
  HEADERS.deadLetterProcessor,
  HEADERS.origin,
  HEADERS.originPosition,
  HEADERS.letterId,
  HEADERS.omittedBytes,
  HEADERS.position,
]);

/** A decoded dead letter. `content` is undefined when the record was too large to be kept in it. */
export interface DeadLetter {
  readonly logPosition: LogPosition;
  /** Equal for letters that stand for one record (`toLetterId`); undefined on one of an earlier version without its content. */
  readonly id: string | undefined;
  /** The same for every copy of a letter: a processor publishes its last outbox again when it starts. */
  readonly position: Position;
  readonly timestampMs: number;
  readonly processor: string;
  readonly cause: string;
  readonly origin: LogPosition;
  readonly originPosition: string | undefined;
  readonly content: RecordContent | { readonly omittedBytes: number };
}

/** The record's own key, value and headers, which are dead-lettered and redriven. */
export type RecordContent = Pick<LogRecord, 'key' | 'value' | 'headers'>;

/**
 * A poison record as it is written to the dead-letter topic: its own key, bytes and headers, with cause, processor,
 * origin and `position` (the letter's own) as headers. A letter that would exceed `bytesMax` is written without its
 * content, which then exists only at its origin: a letter that the broker rejects would stop the partition for ever.
 */
export function toDeadLetter(
  record: LogRecord,
  options: { topic: string; partition: number; processor: string; cause: string; position: string; bytesMax: number },
): OutgoingRecord {
  const { topic, partition, processor, cause, position, bytesMax } = options;
  const { [HEADERS.position]: originPosition, ...headers } = record.headers;
  const added = {
    [HEADERS.deadLetterCause]: cause.slice(0, CAUSE_LENGTH_MAX),
    [HEADERS.deadLetterProcessor]: processor,
    [HEADERS.origin]: encodeLogPosition(record),
    [HEADERS.position]: position,
    [HEADERS.letterId]: toLetterId({ processor, origin: record, originPosition, content: record }),
  };
  const extended = originPosition === undefined ? added : { ...added, [HEADERS.originPosition]: originPosition };
  const letter = { topic, partition, key: record.key, value: record.value, headers: { ...headers, ...extended } };
  if (toRecordBytes(letter) <= bytesMax) return letter;
  const omittedBytes = String(toRecordBytes(record));
  return { topic, partition, key: null, value: null, headers: { ...added, [HEADERS.omittedBytes]: omittedBytes } };
}

/** Decodes a record of the dead-letter topic; undefined for one that no processor wrote. */
export function parseDeadLetter(record: LogRecord): DeadLetter | undefined {
  const { topic, partition, offset, timestampMs, key, value } = record;
  const origin = parseLogPosition(record.headers[HEADERS.origin]);
  const position = parsePosition(record.headers[HEADERS.position]);
  const processor = record.headers[HEADERS.deadLetterProcessor];
  if (origin === undefined || position === undefined || processor === undefined) return undefined;
  const omitted = record.headers[HEADERS.omittedBytes];
  const originPosition = record.headers[HEADERS.originPosition];
  const parts = { processor, origin, originPosition, content: record };
  return {
    logPosition: { topic, partition, offset },
    id: record.headers[HEADERS.letterId] ?? (omitted === undefined ? toLetterId(parts) : undefined),
    position,
    timestampMs,
    processor,
    cause: record.headers[HEADERS.deadLetterCause] ?? '',
    origin,
    originPosition,
    content: omitted === undefined ? { key, value, headers: toOwnHeaders(record) } : { omittedBytes: Number(omitted) },
  };
}

/**
 * A processor publishes its last outbox again when it starts. What the next one cannot read moves no position there, so
 * it comes twice, and is dead-lettered twice: with one position of its writer, and the same bytes. The bytes count, since
 * a foreign record may have a made-up position, and one tick is a letter for each of its timers. A record without a
 * position is known by its place in the log.
 */
function toLetterId(record: {
  readonly processor: string;
  readonly origin: LogPosition;
  readonly originPosition: string | undefined;
  readonly content: Pick<RecordContent, 'key' | 'value'>;
}): string {
  const { processor, origin, originPosition, content } = record;
  const source = originPosition ?? String(origin.offset);
  const hash = createHash('sha256').update(`${processor} ${origin.topic} ${origin.partition} ${source} `);
  for (const part of [content.key, content.value]) hash.update(`${part?.length ?? 'none'} `).update(part ?? '');
  return hash.digest('base64url').slice(0, 22);
}

/**
 * A dead-lettered record as it is re-published to its original partition, marked with the letter that it comes from. It
 * does not keep its old position: the processor has counted that position as applied and would drop the record as a
 * repeat. `once` gives it a position derived from the letter's instead, so that a second redrive, of a copy of the
 * letter too, is dropped as a repeat. Use it only for letters redriven in order: an earlier letter that comes after a
 * later one would also be dropped as a repeat.
 */
export function toRedrivenRecord(
  { origin, logPosition, position }: Pick<DeadLetter, 'origin' | 'logPosition' | 'position'>,
  content: RecordContent,
  { once }: { once: boolean },
): OutgoingRecord {
  const headers = { ...toOwnHeaders(content), [HEADERS.redrivenFrom]: encodeLogPosition(logPosition) };
  const positionOnce = encodePosition({ ...position, source: `${REDRIVEN_PREFIX}${position.source}` });
  return {
    topic: origin.topic,
    partition: origin.partition,
    key: content.key,
    value: content.value,
    headers: once ? { ...headers, [HEADERS.position]: positionOnce } : headers,
  };
}

function toOwnHeaders({ headers }: Pick<LogRecord, 'headers'>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !ADDED_HEADERS.has(name)));
}
