import { HEADERS } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';

const CAUSE_LENGTH_MAX = 1000;

/** A poison record as it goes to the dead-letter topic: its own key and bytes, with cause, processor and origin as headers. */
export function toDeadLetter(
  record: LogRecord,
  options: { topic: string; processor: string; cause: string },
): Pick<OutgoingRecord, 'topic' | 'key' | 'value' | 'headers'> {
  return {
    topic: options.topic,
    key: record.key,
    value: record.value,
    headers: {
      [HEADERS.deadLetterCause]: options.cause.slice(0, CAUSE_LENGTH_MAX),
      [HEADERS.deadLetterProcessor]: options.processor,
      [HEADERS.origin]: `${record.topic}/${record.partition}:${record.offset}`,
    },
  };
}
