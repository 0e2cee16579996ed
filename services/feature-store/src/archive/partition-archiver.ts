import type { LogRecord, PartitionOffsets } from '@perennial/kafka';
import { AppError, type Clock, retry } from '@perennial/kernel';
import type { ArchiveChain } from './chain.js';
import { Cutter } from './cutter.js';
import type { EventArchive } from './event-archive.js';
import type { ArchiveEvents } from './events.js';
import type { ArchiveLimits } from './limits.js';

export interface PartitionArchiverOptions {
  readonly archive: Pick<EventArchive, 'write'>;
  /** What is there, looked at after this partition was assigned. */
  readonly listFiles: () => Promise<ReadonlyMap<number, ArchiveChain>>;
  readonly partition: number;
  readonly limits: ArchiveLimits;
  readonly fileBytesMax: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: ArchiveEvents;
  readonly readOffsets: () => Promise<PartitionOffsets>;
  /** The next delivery shall begin there. */
  readonly seek: (offset: number) => void;
}

/**
 * Archives one partition, one thing at a time. It keeps nothing but files: after a restart their names say where to go on,
 * and what was in hand is read from the log again.
 */
export class PartitionArchiver {
  readonly #options: PartitionArchiverOptions;
  readonly #cutter: Cutter;
  readonly #stop = new AbortController();
  #turn: Promise<void> = Promise.resolve();
  /** Offset of the next record to take in; undefined before the files were looked at. */
  #next: number | undefined;
  #archived = 0;
  /** The first record of the file that is being written. */
  #writing: LogRecord | undefined;
  #isClosing = false;

  constructor(options: PartitionArchiverOptions) {
    this.#options = options;
    this.#cutter = new Cutter({ windowMs: options.limits.windowMs, fileBytesMax: options.fileBytesMax });
  }

  /** Every record below is in a file; undefined before the files were looked at. */
  get archived(): number | undefined {
    return this.#next === undefined ? undefined : this.#archived;
  }

  /** Append time of the oldest record that was taken in and is in no file, ms; undefined for none. */
  get oldestMs(): number | undefined {
    return (this.#writing ?? this.#cutter.oldest)?.timestampMs;
  }

  /** Finds out from the files' names where to go on. Throws `contract_violation` when the log ends before that. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      const { listFiles, partition, readOffsets, seek, events } = this.#options;
      const [chains, { low, high }] = await this.#forEver(() => Promise.all([listFiles(), readOffsets()]));
      const next = chains.get(partition)?.next ?? low;
      if (next > high) {
        throw new AppError(
          'contract_violation',
          `partition ${partition} is archived up to offset ${next}, but the log ends at ${high}: it lost its tail, or is another one. Restore the log, or remove the archive of the namespace that was there before`,
        );
      }
      this.#next = next;
      this.#archived = next;
      seek(next);
      events.started(partition, next);
    });
  }

  /** Takes in what was fetched; resolves when every file that it completes is written. */
  take(records: readonly LogRecord[]): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#next === undefined || (await this.#isAhead(records))) return;
      for (const record of records) {
        if (this.#stop.signal.aborted) return;
        if (record.offset < this.#next) continue;
        const file = this.#cutter.push(record);
        this.#next = record.offset + 1;
        if (file !== undefined) await this.#write(file);
      }
    });
  }

  /**
   * Writes what is in hand of a window that is over, so that a partition that has gone quiet is archived to its end. The time
   * is looked at before the log's end: then no record of the window can come after.
   */
  async closeQuiet(): Promise<void> {
    // One that waits for its turn is enough: while the store is away it may wait for long.
    if (this.#isClosing) return;
    this.#isClosing = true;
    try {
      await this.#closeQuiet();
    } finally {
      this.#isClosing = false;
    }
  }

  #closeQuiet(): Promise<void> {
    return this.#inTurn(async () => {
      const { clock, limits, readOffsets } = this.#options;
      const { windowEndMs } = this.#cutter;
      if (windowEndMs === undefined || clock.now() < windowEndMs + limits.quietGraceMs) return;
      const { high } = await readOffsets();
      if (high === this.#next) await this.#write(this.#cutter.close());
    });
  }

  /** Drops what is in hand: the log still has it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#turn;
  }

  /** Records above those expected: of a fetch from before a seek, or the log has lost those between. */
  async #isAhead(records: readonly LogRecord[]): Promise<boolean> {
    const { readOffsets, seek, events, partition } = this.#options;
    const next = this.#next ?? 0;
    const first = records[0];
    if (first === undefined || first.offset <= next) return false;
    const { low } = await this.#forEver(readOffsets);
    if (low <= next) {
      seek(next);
      return true;
    }
    events.lost(partition, { from: next, to: low - 1 });
    if (this.#cutter.oldest !== undefined) await this.#write(this.#cutter.close());
    this.#next = low;
    if (first.offset > low) seek(low);
    return first.offset > low;
  }

  async #write(records: readonly LogRecord[]): Promise<void> {
    const { archive, partition, events, limits } = this.#options;
    this.#writing = records[0];
    const bytes = await this.#forEver(() => archive.write(records, limits));
    this.#writing = undefined;
    this.#archived = (records.at(-1)?.offset ?? 0) + 1;
    events.written(partition, { records: records.length, bytes, next: this.#archived });
  }

  #forEver<T>(operation: () => Promise<T>): Promise<T> {
    const { limits, clock, random, events, partition } = this.#options;
    return retry(operation, {
      initialMs: limits.retryInitialMs,
      maxMs: limits.retryMaxMs,
      clock,
      random,
      signal: this.#stop.signal,
      onRetry: ({ error, waitMs }) => events.retried(partition, error, waitMs),
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(async () => {
      if (this.#stop.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        // Given up, with the partition.
        if (!this.#stop.signal.aborted) throw error;
      }
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }
}
