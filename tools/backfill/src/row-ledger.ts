/** Most rows remembered for a namespace: 800 MB of ids in PostgreSQL, and twice that of orders and returned rows. A backfill beyond it stops before it sends. */
export const LEDGER_IDS_MAX = 100_000_000;

export const ID_BYTES = 8;
/** The hash of what names an order, and its amount as a double. */
export const ORDER_BYTES = 16;

/** What was sent: ids of rows, 8 bytes each, and orders, 16 bytes each, all big-endian (`ledger-codec.ts`). */
export interface LedgerEntry {
  readonly ids: Buffer;
  readonly orders: Buffer;
}

/**
 * The rows that were backfilled into a namespace, for good: the platform itself remembers message ids for a day of log
 * time only. Of orders it has the amounts too, so that a later file's greater refund counts by what it is greater.
 */
export interface RowLedger {
  /** How many ids it has, and the log time at which the last were added; undefined when it is empty. */
  summarize(): Promise<{ readonly ids: number; readonly logTimeMs: number | undefined }>;
  /** All entries, the earliest first: of an order with several the last counts. */
  read(): AsyncIterable<LedgerEntry>;
  /** Resolves when the entry is durable. */
  append(entry: LedgerEntry, logTimeMs: number): Promise<void>;
  /** Forgets all, because the namespace was made anew. */
  clear(): Promise<void>;
}
