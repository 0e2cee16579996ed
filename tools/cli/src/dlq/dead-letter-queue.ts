import { encodeLogPosition, HEADERS, parseTopic, toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { isAppError } from '@perennial/kernel';
import { type DeadLetter, parseDeadLetter, type RecordContent, toRedrivenRecord } from '@perennial/keyed-processor';
import { type Decoded, decodeValue } from '../topic/decode.js';
import type { Entry, Queue } from './queue.js';
import { readRecordAt } from './records-at.js';

/** The dead letters of a namespace's processors. A letter is redriven to the partition it was read from. */
export function createDeadLetterQueue(log: Log, namespace: string): Queue {
  return {
    topic: toTopic(namespace, 'deadLettered'),
    names: ['dead letter', 'dead letters'],
    toEntry(record) {
      const letter = parseDeadLetter(record);
      return letter && toEntry(letter);
    },
    toPosition: (record) => parseDeadLetter(record)?.position,
    toFingerprint(record) {
      const letter = parseDeadLetter(record);
      // Copies of letters of records without a position have the letter's own.
      return letter?.originPosition === undefined ? undefined : letter.id;
    },
    async toRedrive(record, options) {
      const letter = parseDeadLetter(record);
      if (letter === undefined) return { skipped: 'it is no dead letter: it has no origin and processor' };
      const content = await findContent(log, letter);
      if ('skipped' in content) return content;
      // A batch that could not be read: an empty record in its stead would be a dead letter again, of another cause.
      if (content.value === null)
        return { skipped: `there is nothing to re-publish, it has no value: ${letter.cause}` };
      return { records: [toRedrivenRecord(letter, content, options)] };
    },
  };
}

function toEntry(letter: DeadLetter): Entry {
  const { logPosition, timestampMs, processor, cause, origin, originPosition, content } = letter;
  const { key, headers }: Pick<RecordContent, 'key' | 'headers'> =
    'omittedBytes' in content ? { key: null, headers: {} } : content;
  const redrivenFrom = headers[HEADERS.redrivenFrom];
  return {
    position: `${logPosition.partition}:${logPosition.offset}`,
    time: new Date(timestampMs).toISOString(),
    processor,
    ...decodeContent(letter),
    origin: encodeLogPosition(origin),
    key: key?.toString() ?? null,
    cause,
    notes: {
      ...(originPosition === undefined ? {} : { 'caused by': originPosition }),
      ...(redrivenFrom === undefined ? {} : { 'redriven before, from': redrivenFrom }),
    },
    headers,
  };
}

/** The record as `topic` shows it; a tick under a profile's key is that profile's timer. */
function decodeContent({ origin, content }: DeadLetter): Decoded {
  if ('omittedBytes' in content) {
    return { kind: 'omitted', value: `${content.omittedBytes} bytes, too large to be kept here: see the origin` };
  }
  const decoded = decodeValue(parseTopic(origin.topic)?.topic, content.value);
  return decoded.kind === 'tick' && content.key !== null ? { ...decoded, kind: 'timer' } : decoded;
}

/** The record's own value: in the letter, or at its origin where it was too large for the letter. */
async function findContent(log: Log, { origin, content }: DeadLetter): Promise<RecordContent | { skipped: string }> {
  if (!('omittedBytes' in content)) return content;
  try {
    return await readRecordAt(log, origin.topic, origin);
  } catch (error) {
    if (!isAppError(error, 'not_found')) throw error;
    return { skipped: `it was too large to be kept as a dead letter, and ${error.message}` };
  }
}
