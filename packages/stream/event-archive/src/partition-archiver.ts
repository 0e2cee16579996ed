import type { ConsumerHealth, LogRecord, PartitionOffsets } from '@perennial/kafka';
import { AppError, type Clock, Mutex } from '@perennial/kernel';
import type { ArchivedLog } from './archived-log.js';
import type { EventArchive } from './event-archive.js';
import type { ArchiveEvents } from './events.js';
import { FileDraft } from './file-draft.js';
import type { ArchiveLimits } from './limits.js';

export interface PartitionArchiverOptions {
  readonly archive: Pick<EventArchive, 'write'>;
  /** Lists the archived files, after this partition was assigned. */
  readonly listFiles: () => Promise<ReadonlyMap<number, ArchivedLog>>;
  readonly partition: number;
  readonly limits: ArchiveLimits;
  readonly fileBytesMax: number;
  readonly clock: Clock;
  readonly events: ArchiveEvents;
  readonly health: Pick<ConsumerHealth, 'advanced' | 'failed'>;
  readonly readOffsets: () => Promise<PartitionOffsets>;
  /** Sets the offset from which the next records are delivered. */
  readonly seek: (offset: number) => void;
  /** The offset, or the one behind those without a record that begin there, as far as they are known. */
  readonly beyond: (offset: number) => number;
}

/**
 * Archives one partition, one operation at a time. Its only durable state is the files: after a restart they show
 * where to continue, and records of the open file are read from the log again.
 */
export class PartitionArchiver {
  readonly #options: PartitionArchiverOptions;
  readonly #stop = new AbortController();
  readonly #mutex = new Mutex();
  /** Offset of the next record to add, or of one that does not exist; undefined before the files were listed. */
  #next: number | undefined;
  /** Where the last delivery began that was ahead; it was requested again from `#next`. */
  #aheadAt: number | undefined;
  #archived = 0;
  /** The open file. */
  #draft: FileDraft | undefined;
  /** Append time of the first record of a completed file that is not stored yet, ms. */
  #puttingMs: number | undefined;
  #isClosing = false;

  constructor(options: PartitionArchiverOptions) {
    this.#options = options;
  }

  /** Every record below this offset is in a file; undefined before the files were listed. */
  get archived(): number | undefined {
    return this.#next === undefined ? undefined : this.#archived;
  }

  /**
   * Offset of the first record that was not read; undefined before the files were listed, and while a completed file is
   * not stored.
   */
  get next(): number | undefined {
    return this.#puttingMs === undefined ? this.#next : undefined;
  }

  /** Append time of the oldest record that was read and is in no stored file, ms; undefined for none. */
  get oldestMs(): number | undefined {
    return this.#puttingMs ?? this.#draft?.first.timestampMs;
  }

  /** Derives the starting offset from the file names. Throws `contract_violation` when the log ends before it. */
  start(): Promise<void> {
    return this.#whileOwned(async () => {
      const { listFiles, partition, readOffsets, seek, events } = this.#options;
      const [logs, { low, high }] = await this.#forEver(() => Promise.all([listFiles(), readOffsets()]));
      const next = logs.get(partition)?.next ?? low;
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

  /** Adds the fetched records; resolves when every file that they complete is stored. */
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
        if (this.#draft?.isComplete) await this.#write();
      }
      // A file may be minutes away: whoever reads, and has stored every file that was complete, does not stand still.
      this.#options.health.advanced(this.#options.partition);
    });
  }

  /**
   * Stores the open file when its window has ended, so that a quiet partition is archived completely. The clock is
   * read before the log's end: so no record of the window can come later.
   */
  async closeQuiet(): Promise<void> {
    // One waiting call is enough: it may wait for long while the store is unavailable.
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
      const { clock, limits, readOffsets, beyond } = this.#options;
      const draft = this.#draft;
      if (draft === undefined || clock.now() < draft.windowEndMs + limits.quietGraceMs) return;
      const { high } = await readOffsets();
      if (this.#next !== undefined && high === beyond(this.#next)) await this.#write();
    });
  }

  /** Drops the open file: the log still has its records. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#mutex.idle();
  }

  /**
   * Records above the expected offset: of a fetch from before a seek, or those between do not exist (ends of transactions,
   * aborted ones), or the log has lost them.
   */
  async #isAhead(records: readonly LogRecord[]): Promise<boolean> {
    const { readOffsets, seek, beyond, events, partition } = this.#options;
    const next = this.#next ?? 0;
    const first = records[0];
    const aheadAt = this.#aheadAt;
    this.#aheadAt = undefined;
    if (first === undefined || first.offset <= next) return false;
    const { low } = await this.#forEver(readOffsets);
    if (low <= next) {
      // The answer to the seek begins there too: so nothing lies between.
      if (first.offset === aheadAt || first.offset <= beyond(next)) return false;
      this.#aheadAt = first.offset;
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
    const from = this.#next ?? record.offset;
    this.#next = record.offset + 1;
    if (this.#draft !== undefined) return this.#draft.add(record);
    this.#draft = new FileDraft(record, { ...limits, fileBytesMax, from });
    return false;
  }

  /** Completes the open file, if there is one, and stores it. */
  async #write(): Promise<void> {
    const { archive, partition, events } = this.#options;
    if (this.#draft === undefined) return;
    this.#puttingMs = this.#draft.first.timestampMs;
    const { stretch, records, bytes } = this.#draft.finish();
    this.#draft = undefined;
    await this.#forEver(() => archive.write(stretch, bytes));
    this.#puttingMs = undefined;
    this.#archived = stretch.last + 1;
    this.#options.health.advanced(partition);
    events.written(partition, { records, bytes: bytes.length, next: this.#archived });
  }

  async #forEver<T>(operation: () => Promise<T>): Promise<T> {
    const { clock, health, events, partition } = this.#options;
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        if (this.#stop.signal.aborted) throw error;
        const waitMs = health.failed(partition, error);
        events.retried(partition, error, waitMs);
        await clock.wait(waitMs, this.#stop.signal);
        if (this.#stop.signal.aborted) throw error;
      }
    }
  }

  /** Runs one operation at a time; none after the partition was revoked. */
  #whileOwned(work: () => Promise<void>): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#stop.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        // The partition was revoked, so the error no longer matters.
        if (!this.#stop.signal.aborted) throw error;
      }
    });
  }
}
