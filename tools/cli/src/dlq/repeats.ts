import { isAfter } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { readTopic } from '../topic/read.js';
import type { Queue } from './queue.js';

/**
 * Detects copies. The writer of a queue may write records again after a crash or a restart, but never a new one at a
 * position at or below the highest one before. Records are passed in order of offset, each once.
 */
export class Repeats {
  readonly #queue: Queue;
  readonly #highest = new Map<string, { offset: number; ordinal: number }>();

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  isRepeat(record: LogRecord): boolean {
    const position = this.#queue.toPosition(record);
    if (position === undefined) return false;
    const source = `${record.partition} ${position.source}`;
    const highest = this.#highest.get(source);
    if (highest !== undefined && !isAfter(position, highest)) return true;
    this.#highest.set(source, position);
    return false;
  }
}

/** Marks everything below these offsets as seen, by partition. */
export async function readRepeats(log: Log, queue: Queue, below: ReadonlyMap<number, number>): Promise<Repeats> {
  const repeats = new Repeats(queue);
  await readTopic(log, {
    topic: queue.topic,
    from: 'beginning',
    follow: false,
    signal: new AbortController().signal,
    onRecord(record) {
      if (record.offset < (below.get(record.partition) ?? 0)) repeats.isRepeat(record);
      return true;
    },
  });
  return repeats;
}
