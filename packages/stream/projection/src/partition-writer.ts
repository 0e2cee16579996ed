import type { LogRecord } from '@perennial/kafka';
import { type Clock, must } from '@perennial/kernel';
import type { Pool, PoolClient } from '@perennial/postgres';
import { inTransaction, isPassing } from '@perennial/postgres';
import type { ProjectionOffsets } from './offsets.js';

/** Records in one transaction. */
const BATCH_RECORDS_MAX = 500;
/** Waits between attempts, which never end. */
export const RETRY_BACKOFF = { initialMs: 100, maxMs: 10_000 };

/**
 * Inserts idempotently. What it gives to `afterCommit` is done once what it inserted is committed, as counting it must be; never for
 * a transaction that was rolled back, nor for one whose reply was lost.
 */
export type InsertRecords = (
  client: PoolClient,
  records: LogRecord[],
  afterCommit: (act: () => void) => void,
) => Promise<void>;

export interface PartitionWriterDeps {
  readonly pool: Pool;
  readonly offsets: ProjectionOffsets;
  readonly clock: Clock;
  readonly insert: InsertRecords;
  /** Called for each failed attempt; returns the wait before the next one. */
  readonly onFailed: (partition: number, error: unknown) => number;
  /** Called for a record that cannot be read, or that PostgreSQL rejects for its content; the record is skipped. */
  readonly onSkipped: (record: LogRecord, error: unknown) => void;
  readonly onWritten: (partition: number, records: number, next: number) => void;
}

class MovedOn extends Error {}

/** Writes one partition: batches with their offset in one transaction, retried while PostgreSQL is unavailable. */
export class PartitionWriter {
  readonly #deps: PartitionWriterDeps;
  readonly #partition: number;
  readonly #stopped = new AbortController();
  readonly #started: Promise<void>;
  #next: number | undefined;
  #missedAt: number | undefined;

  constructor(deps: PartitionWriterDeps, partition: number) {
    this.#deps = deps;
    this.#partition = partition;
    this.#started = this.#load();
    this.#started.catch(() => undefined);
  }

  /** The start offset, once it is known; undefined when nothing was ever written. */
  async start(): Promise<number | undefined> {
    await this.#started;
    return this.#next;
  }

  get next(): number | undefined {
    return this.#next;
  }

  stop(): void {
    this.#stopped.abort();
  }

  /**
   * The first offset not written, when these records begin above it and the log still has it, as after PostgreSQL was
   * restored from a backup; undefined when they may be written. One offset is asked for only once: if the next delivery
   * does not contain it, it does not exist.
   */
  async findMissed(records: readonly LogRecord[], readLow: () => Promise<number>): Promise<number | undefined> {
    await this.#started;
    const next = this.#next;
    const first = records[0];
    if (next === undefined || first === undefined || first.offset <= next || this.#missedAt === next) return undefined;
    if ((await readLow()) > next) return undefined;
    this.#missedAt = next;
    return next;
  }

  /** Resolves when all are written, or when the writer is stopped. */
  async write(records: readonly LogRecord[]): Promise<void> {
    await this.#started;
    for (let from = 0; from < records.length && !this.#stopped.signal.aborted; from += BATCH_RECORDS_MAX) {
      await this.#writeBatch(records.slice(from, from + BATCH_RECORDS_MAX));
    }
  }

  async #writeBatch(batch: readonly LogRecord[]): Promise<void> {
    try {
      await this.#forEver(() => this.#commit(batch));
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      // The database works, but a record is invalid: find that record, so that the others are written.
      await this.#writeOneByOne(batch, error);
    }
  }

  async #writeOneByOne(batch: readonly LogRecord[], error: unknown): Promise<void> {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) {
      await this.#forEver(() => this.#commit(batch, { skip: true }));
      this.#deps.onSkipped(only, error);
      return;
    }
    for (const record of batch) {
      if (this.#stopped.signal.aborted) return;
      await this.#writeBatch([record]);
    }
  }

  async #commit(batch: readonly LogRecord[], options: { skip?: boolean } = {}): Promise<void> {
    const fresh = batch.filter(({ offset }) => this.#next === undefined || offset >= this.#next);
    const last = fresh.at(-1);
    if (last === undefined) return;
    const { pool, offsets, insert, onSkipped, onWritten } = this.#deps;
    const from = this.#next;
    const to = last.offset + 1;
    const acts: Array<() => void> = [];
    try {
      await inTransaction(pool, async (client) => {
        const readable = fresh.filter(({ unreadable }) => unreadable === undefined);
        if (options.skip !== true && readable.length > 0) {
          await insert(client, readable, (act) => acts.push(act));
        }
        if (!(await offsets.advance(client, this.#partition, from, to)))
          throw new MovedOn('another consumer has moved on');
      });
    } catch (error) {
      // Also after a commit whose reply was lost: the stored offset shows whether it succeeded.
      if (error instanceof MovedOn) this.#next = await offsets.load(this.#partition);
      throw error;
    }
    this.#next = to;
    for (const act of acts) act();
    for (const record of fresh) {
      if (record.unreadable !== undefined) onSkipped(record, new Error(record.unreadable.message));
    }
    onWritten(this.#partition, fresh.length, must(this.#next, 'next'));
  }

  async #load(): Promise<void> {
    this.#next = await this.#forEver(() => this.#deps.offsets.load(this.#partition));
  }

  async #forEver<T>(operation: () => Promise<T>): Promise<T> {
    const { signal } = this.#stopped;
    for (;;) {
      try {
        return await operation();
      } catch (error) {
        if (signal.aborted || !(error instanceof MovedOn || isPassing(error))) throw error;
        await this.#deps.clock.wait(this.#deps.onFailed(this.#partition, error), signal);
        if (signal.aborted) throw error;
      }
    }
  }
}
