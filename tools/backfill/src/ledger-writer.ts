import { encodeEntry, type SentRow } from './ledger-codec.js';
import { BACKFILL_LIMITS } from './limits.js';
import type { RowLedger } from './row-ledger.js';

/**
 * Writes acknowledged rows to the ledger, some at a time. What a crash loses is sent again by the next run:
 * few enough, and within so little log time, that each profile's memory of message ids still has them.
 */
export class LedgerWriter {
  readonly #ledger: Pick<RowLedger, 'append'>;
  #rows: SentRow[] = [];
  #firstMs: number | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(ledger: Pick<RowLedger, 'append'>) {
    this.#ledger = ledger;
  }

  /** Adds rows that were acknowledged at this log time; resolves at once, unless as many wait as may be lost. */
  async add(rows: readonly SentRow[], logTimeMs: number): Promise<void> {
    this.#firstMs ??= logTimeMs;
    for (const row of rows) this.#rows.push(row);
    if (this.#rows.length >= BACKFILL_LIMITS.ledgerPendingIdsMax) await this.flush(logTimeMs);
  }

  /** Before log time moves on: writes what would be too old to be remembered by then. */
  async advance(fromMs: number, toMs: number): Promise<void> {
    if (this.#firstMs !== undefined && toMs - this.#firstMs > BACKFILL_LIMITS.ledgerPendingLogMs)
      await this.flush(fromMs);
  }

  async flush(logTimeMs: number): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#firstMs = undefined;
    // One append after another: were one to fail, the rows of a later one must not be remembered as if all were.
    this.#writing = this.#writing.then(() =>
      rows.length === 0 ? undefined : this.#ledger.append(encodeEntry(rows), logTimeMs),
    );
    await this.#writing;
  }
}
