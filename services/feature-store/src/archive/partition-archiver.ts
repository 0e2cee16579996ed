import type { LogRecord, PartitionOffsets } from '@perennial/kafka';
import { AppError, type Clock, Mutex, retry } from '@perennial/kernel';
import type { ArchiveChain } from './chain.js';
import type { EventArchive } from './event-archive.js';
import type { ArchiveEvents } from './events.js';
import { FileDraft } from './file-draft.js';
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
  readonly #stop = new AbortController();
  readonly #mutex = new Mutex();
  /** Offset of the next record to take in; undefined before the files were looked at. */
  #next: number | undefined;
  #archived = 0;
  /** What is being made into the next file. */
  #draft: FileDraft | undefined;
  /** Append time of the first record of a file that is finished and not put away yet, ms. */
  #puttingMs: number | undefined;
  #isClosing = false;

  constructor(options: PartitionArchiverOptions) {
    this.#options = options;
  }

  /** Every record below is in a file; undefined before the files were looked at. */
  get archived(): number | undefined {
    return this.#next === undefined ? undefined : this.#archived;
  }

  /** Append time of the oldest record that was taken in and is in no file, ms; undefined for none. */
  get oldestMs(): number | undefined {
    return this.#puttingMs ?? this.#draft?.first.timestampMs;
  }

  /** Finds out from the files' names where to go on. Throws `contract_violation` when the log ends before that. */
  start(): Promise<void> {
    return this.#whileOwned(async () => {
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
    return this.#whileOwned(async () => {
      if (this.#next === undefined || (await this.#isAhead(records))) return;
      for (const record of records) {
        if (this.#stop.signal.aborted) return;
        if (record.offset < this.#next) continue;
        if (this.#draft?.endsBefore(record)) await this.#write();
        if (this.#stop.signal.aborted) return;
        // HTTP and the hot path share the thread.
        if (this.#add(record)) await new Promise((resolve) => setImmediate(resolve));
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
    return this.#whileOwned(async () => {
      const { clock, limits, readOffsets } = this.#options;
      const draft = this.#draft;
      if (draft === undefined || clock.now() < draft.windowEndMs + limits.quietGraceMs) return;
      const { high } = await readOffsets();
      if (high === this.#next) await this.#write();
    });
  }

  /** Drops what is in hand: the log still has it. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#mutex.idle();
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
    await this.#write();
    this.#next = low;
    if (first.offset > low) seek(low);
    return first.offset > low;
  }

  /** True when it took milliseconds. */
  #add(record: LogRecord): boolean {
    const { limits, fileBytesMax } = this.#options;
    this.#next = record.offset + 1;
    if (this.#draft !== undefined) return this.#draft.add(record);
    this.#draft = new FileDraft(record, { ...limits, fileBytesMax });
    return false;
  }

  /** Ends the file in hand, if there is one, and puts it away. */
  async #write(): Promise<void> {
    const { archive, partition, events } = this.#options;
    if (this.#draft === undefined) return;
    this.#puttingMs = this.#draft.first.timestampMs;
    const { stretch, bytes } = this.#draft.finish();
    this.#draft = undefined;
    await this.#forEver(() => archive.write(stretch, bytes));
    this.#puttingMs = undefined;
    this.#archived = stretch.last + 1;
    events.written(partition, { records: stretch.last - stretch.first + 1, bytes: bytes.length, next: this.#archived });
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

  /** One thing at a time; nothing once the partition was given up. */
  #whileOwned(work: () => Promise<void>): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#stop.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        // Given up, with the partition.
        if (!this.#stop.signal.aborted) throw error;
      }
    });
  }
}
