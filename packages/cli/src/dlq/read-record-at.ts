import { encodePlace, type RecordPlace } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { AppError } from '@perennial/kernel';
import { readTopic } from '../topic/read.js';

/** The record at a place. Throws `not_found` that says whether it is gone, not there yet, or was never a record. */
export async function readRecordAt(log: Log, place: RecordPlace): Promise<LogRecord> {
  const { topic, partition, offset } = place;
  const range = (await log.offsets(topic)).get(partition);
  if (range === undefined) throw new AppError('not_found', `${topic} has no partition ${partition}`);
  const { low, high } = range;
  const where = `partition ${partition} of ${topic}`;
  if (offset < low) throw new AppError('not_found', `${encodePlace(place)} is gone: ${where} now begins at ${low}`);
  if (offset >= high) throw new AppError('not_found', `${encodePlace(place)} is not there: ${where} ends at ${high}`);
  let found: LogRecord | undefined;
  await readTopic(log, {
    topic,
    from: new Map([[partition, offset]]),
    limit: 1,
    follow: false,
    signal: new AbortController().signal,
    onRecord(record) {
      found = record;
      return true;
    },
  });
  if (found?.offset !== offset) throw new AppError('not_found', `there is no record at ${encodePlace(place)}`);
  return found;
}
