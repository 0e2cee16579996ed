import { encodeLogPosition, type LogPosition } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { AppError, must } from '@perennial/kernel';
import { readTopic } from '../topic/read.js';

/** Position of a record in its topic. */
export type QueuePosition = Omit<LogPosition, 'topic'>;

/** Throws `not_found` for a position outside the log, and says whether it is trimmed or not written yet. */
export async function checkPositions(log: Log, topic: string, positions: readonly QueuePosition[]): Promise<void> {
  const ranges = await log.offsets(topic);
  for (const { partition, offset } of positions) {
    const range = ranges.get(partition);
    if (range === undefined) throw new AppError('not_found', `${topic} has no partition ${partition}`);
    const position = encodeLogPosition({ topic, partition, offset });
    const where = `partition ${partition} of ${topic}`;
    if (offset < range.low) throw new AppError('not_found', `${position} is gone: ${where} now begins at ${range.low}`);
    if (offset >= range.high)
      throw new AppError('not_found', `${position} is not there: ${where} ends at ${range.high}`);
  }
}

/**
 * The records at these positions, in one pass, partition by partition in order. Throws `not_found` when one is missing.
 */
export async function readRecordsAt(
  log: Log,
  topic: string,
  positions: readonly QueuePosition[],
): Promise<LogRecord[]> {
  await checkPositions(log, topic, positions);
  const wanted = new Set(positions.map(toText));
  const found: LogRecord[] = [];
  await readTopic(log, {
    topic,
    from: toLowest(positions),
    limit: wanted.size,
    follow: false,
    signal: new AbortController().signal,
    onRecord(record) {
      if (!wanted.delete(toText(record))) return false;
      found.push(record);
      return true;
    },
  });
  const [missing] = wanted;
  if (missing !== undefined) throw new AppError('not_found', `there is no record at ${missing} of ${topic}`);
  return found.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** The record at a position. Throws `not_found` with the reason when there is none. */
export async function readRecordAt(log: Log, topic: string, position: QueuePosition): Promise<LogRecord> {
  return must((await readRecordsAt(log, topic, [position]))[0], 'the record at a position');
}

function toLowest(positions: readonly QueuePosition[]): ReadonlyMap<number, number> {
  const lowest = new Map<number, number>();
  for (const { partition, offset } of positions)
    lowest.set(partition, Math.min(offset, lowest.get(partition) ?? Number.MAX_SAFE_INTEGER));
  return lowest;
}

function toText({ partition, offset }: QueuePosition): string {
  return `${partition}:${offset}`;
}
