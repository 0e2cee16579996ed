import { isAfter } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { readTopic } from '../topic/read.js';
import type { Queue } from './queue.js';

/**
 * Tells copies: who writes to a queue may write the same again after a crash or a restart, never something new at a position
 * that is not above the highest before. Records are shown to it in order of offset, each once.
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

/** Has seen everything below these offsets, by partition. */
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
