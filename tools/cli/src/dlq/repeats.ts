import { isAfter } from '@perennial/contracts';
import type { Log, LogRecord } from '@perennial/kafka';
import { readTopic } from '../topic/read.js';
import type { Queue } from './queue.js';

/**
 * Detects copies. The writer of a queue may write records again after a crash or a restart, but never a new one at a
 * position at or below the highest one before; and what it could not read may itself have been written twice. Records are passed in order of offset, each once.
 */
export class Repeats {
  readonly #queue: Queue;
  readonly #highest = new Map<string, { offset: number; ordinal: number }>();

  /** Of letters with a position of their record's writer: some 100 bytes each, and such letters are few. */
  readonly #fingerprints = new Set<string>();

  constructor(queue: Queue) {
    this.#queue = queue;
  }

  isRepeat(record: LogRecord): boolean {
    const isCopy = this.#isBehind(record);
    const fingerprint = this.#queue.toFingerprint(record);
    if (isCopy || fingerprint === undefined) return isCopy;
    if (this.#fingerprints.has(fingerprint)) return true;
    this.#fingerprints.add(fingerprint);
    return false;
  }

  #isBehind(record: LogRecord): boolean {
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
