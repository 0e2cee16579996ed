import type { RowId } from '@perennial/history';
import { BACKFILL_LIMITS } from './limits.js';
import { encodeIds } from './remaining.js';
import type { RowLedger } from './row-ledger.js';

/**
 * Writes the ids of acknowledged rows to the ledger, some at a time. What a crash loses is sent again by the next run:
 * few enough, and within so little log time, that each profile's memory of message ids still has them.
 */
export class LedgerWriter {
  readonly #ledger: Pick<RowLedger, 'append'>;
  #ids: RowId[] = [];
  #firstMs: number | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(ledger: Pick<RowLedger, 'append'>) {
    this.#ledger = ledger;
  }

  /** Adds rows that were acknowledged at this log time; resolves at once, unless as many wait as may be lost. */
  async add(ids: readonly RowId[], logTimeMs: number): Promise<void> {
    this.#firstMs ??= logTimeMs;
    for (const id of ids) this.#ids.push(id);
    if (this.#ids.length >= BACKFILL_LIMITS.ledgerPendingIdsMax) await this.flush(logTimeMs);
  }

  /** Before log time moves on: writes what would be too old to be remembered by then. */
  async advance(fromMs: number, toMs: number): Promise<void> {
    if (this.#firstMs !== undefined && toMs - this.#firstMs > BACKFILL_LIMITS.ledgerPendingLogMs)
      await this.flush(fromMs);
  }

  async flush(logTimeMs: number): Promise<void> {
    const ids = this.#ids;
    this.#ids = [];
    this.#firstMs = undefined;
    // One append after another: were one to fail, the rows of a later one must not be remembered as if all were.
    this.#writing = this.#writing.then(() =>
      ids.length === 0 ? undefined : this.#ledger.append(encodeIds(ids), logTimeMs),
    );
    await this.#writing;
  }
}
