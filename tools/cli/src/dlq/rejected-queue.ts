import {
  type EventRejected,
  encodeLogPosition,
  HEADERS,
  listRejectedEvents,
  parseLogPosition,
  toCloudEventHeaders,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import type { Log, LogRecord, OutgoingRecord } from '@perennial/kafka';
import type { Entry, Queue } from './queue.js';

/** Besides the processors, ingest is the component that rejects. */
const PROCESSOR = 'ingest';
/** Client's time of sending, by its clock: useful only together with the time of receipt, which is long past. */
const SENT_AT = 'sentAt';

/**
 * Events that ingest rejected. One is re-published to event.received and checked again: unchanged, or as `replacement`.
 * It keeps its id, so that a second redrive changes nothing, and its time of receipt. A record may hold several events of
 * one request; all of them are re-published.
 */
export function createRejectedQueue(log: Log, namespace: string, replacement?: unknown): Queue {
  const topic = toTopic(namespace, 'eventReceived');
  return {
    topic: toTopic(namespace, 'eventRejected'),
    names: ['rejected event', 'rejected events'],
    toEntry(record) {
      const rejected = parseRejected(record);
      return rejected && toEntry(record, rejected);
    },
    toPosition(record) {
      // An event by HTTP is rejected once, under a random id; one by Kafka may be read again.
      const position = parseLogPosition(record.headers.ce_id);
      return position && { source: `${position.topic}/${position.partition}`, offset: position.offset, ordinal: 0 };
    },
    // Events have message ids: two copies count once.
    toFingerprint: () => undefined,
    async toRedrive(record) {
      const rejected = parseRejected(record);
      if (rejected === undefined) return { skipped: 'it is no rejected event' };
      const events = replacement === undefined ? readEvents(rejected).map(({ value }) => value) : toList(replacement);
      const count = listRejectedEvents(rejected).length;
      if (events.length !== count) {
        return { skipped: `it holds ${count} events: give a JSON array of ${count} corrected ones with --with` };
      }
      if (!events.every(isObject)) return { skipped: 'it is no JSON object: give a corrected one with --with' };
      const id = record.headers.ce_id ?? encodeLogPosition(record);
      const partitions = (await log.offsets(topic)).size;
      const origin = { namespace, time: rejected.receivedAt, redrivenFrom: encodeLogPosition(record) };
      return {
        records: events.map((event, index) => {
          const eventId = index === 0 ? id : `${id}:${index}`;
          return toReceivedRecord(event, {
            ...origin,
            id: eventId,
            topic,
            partition: toPartition(eventId, partitions),
          });
        }),
      };
    },
  };
}

/** An event for `event.received`, under an id that is the same each time it is redriven. */
function toReceivedRecord(
  { [SENT_AT]: _, ...value }: Record<string, unknown>,
  to: { id: string; namespace: string; time: string; redrivenFrom: string; topic: string; partition: number },
): OutgoingRecord {
  const { id, namespace, time, redrivenFrom, topic, partition } = to;
  return {
    topic,
    partition,
    key: null,
    value: Buffer.from(JSON.stringify(value)),
    headers: {
      ...toCloudEventHeaders({ id, source: `/perennial/${namespace}/dlq`, type: 'lifecycle.event.redriven.v1', time }),
      [HEADERS.redrivenFrom]: redrivenFrom,
    },
  };
}

function toList(replacement: unknown): readonly unknown[] {
  return Array.isArray(replacement) ? replacement : [replacement];
}

function toEntry(record: LogRecord, rejected: EventRejected): Entry {
  const { reason, message, position, sourceId, receivedAt } = rejected;
  const events = readEvents(rejected);
  const [first = { kind: 'text', value: '' }] = events;
  const isOne = events.length === 1;
  return {
    position: `${record.partition}:${record.offset}`,
    time: receivedAt,
    processor: PROCESSOR,
    kind: first.kind,
    value: isOne ? first.value : events.map(({ value }) => value),
    origin: position,
    key: null,
    cause: isOne ? `${reason}: ${message}` : `${reason}: ${message} (the first of ${events.length} events)`,
    notes: {
      ...(sourceId === null ? {} : { source: sourceId }),
      ...(isOne ? {} : { events: String(events.length) }),
    },
    headers: record.headers,
  };
}

function parseRejected({ value }: LogRecord): EventRejected | undefined {
  const parsed = parseJson(value?.toString() ?? '');
  return isObject(parsed) && typeof parsed.reason === 'string' && typeof parsed.event === 'string'
    ? (parsed as unknown as EventRejected)
    : undefined;
}

/** The events as received; a truncated or non-JSON one is shown as text or hex. */
function readEvents(rejected: EventRejected): Array<{ kind: string; value: unknown }> {
  return listRejectedEvents(rejected).map(({ event }) => readEvent(event, rejected.encoding));
}

function readEvent(event: string, encoding: EventRejected['encoding']): { kind: string; value: unknown } {
  if (encoding === 'base64') return { kind: 'bytes', value: Buffer.from(event, 'base64').toString('hex') };
  const value = parseJson(event);
  if (!isObject(value)) return { kind: 'text', value: event };
  return { kind: typeof value.type === 'string' ? value.type : 'json', value };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Arbitrary client bytes, or truncated at ingest's limit.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
