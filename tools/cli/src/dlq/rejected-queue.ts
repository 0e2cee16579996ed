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

/** Beside the processors, ingest is who does not take something. */
const PROCESSOR = 'ingest';
/** Says when the client sent, by its clock: of use only to whoever knows when that came in, which is long past. */
const SENT_AT = 'sentAt';

/**
 * What ingest rejected. It is re-published to event.received and checked again: as it was, or as
 * `replacement` says. It keeps its id, so that putting it back twice changes nothing, and the time it came at.
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
      // What came by HTTP is refused once, under a random id; what came by Kafka may be read again.
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

/** The event as it came; what was cut or is no JSON is shown as text or hex. */
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
    // Whatever a client wrote, or cut at ingest's limit.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
