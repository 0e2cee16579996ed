import {
  type EventRejected,
  encodeLogPosition,
  HEADERS,
  parseLogPosition,
  toCloudEventHeaders,
  toPartition,
  toTopic,
} from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import type { Entry, Queue } from './queue.js';

/** Besides the processors, ingest is the component that rejects. */
const PROCESSOR = 'ingest';
/** Client's time of sending, by its clock: useful only together with the time of receipt, which is long past. */
const SENT_AT = 'sentAt';

/**
 * Events that ingest rejected. One is re-published to event.received and checked again: unchanged, or as `replacement`.
 * It keeps its id, so that a second redrive changes nothing, and its time of receipt.
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
    async toRedrive(record) {
      const rejected = parseRejected(record);
      if (rejected === undefined) return { skipped: 'it is no rejected event' };
      const event = replacement ?? readEvent(rejected).value;
      if (!isObject(event)) return { skipped: 'it is no JSON object: give a corrected one with --with' };
      const { [SENT_AT]: _, ...value } = event;
      const id = record.headers.ce_id ?? encodeLogPosition(record);
      const partitions = (await log.offsets(topic)).size;
      return {
        record: {
          topic,
          partition: toPartition(id, partitions),
          key: null,
          value: Buffer.from(JSON.stringify(value)),
          headers: {
            ...toCloudEventHeaders({
              id,
              source: `/perennial/${namespace}/dlq`,
              type: 'lifecycle.event.redriven.v1',
              time: rejected.receivedAt,
            }),
            [HEADERS.redrivenFrom]: encodeLogPosition(record),
          },
        },
      };
    },
  };
}

function toEntry(record: LogRecord, rejected: EventRejected): Entry {
  const { reason, message, position, sourceId, receivedAt } = rejected;
  return {
    position: `${record.partition}:${record.offset}`,
    time: receivedAt,
    processor: PROCESSOR,
    ...readEvent(rejected),
    origin: position,
    key: null,
    cause: `${reason}: ${message}`,
    notes: sourceId === null ? {} : { source: sourceId },
    headers: record.headers,
  };
}

function parseRejected({ value }: LogRecord): EventRejected | undefined {
  const parsed = parseJson(value?.toString() ?? '');
  return isObject(parsed) && typeof parsed.reason === 'string' && typeof parsed.event === 'string'
    ? (parsed as unknown as EventRejected)
    : undefined;
}

/** The event as received; a truncated or non-JSON one is shown as text or hex. */
function readEvent({ event, encoding }: EventRejected): { kind: string; value: unknown } {
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
