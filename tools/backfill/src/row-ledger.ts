/** Most rows remembered for a namespace: 800 MB of ids in PostgreSQL. A backfill beyond it stops before it sends. */
export const LEDGER_IDS_MAX = 100_000_000;

export const ID_BYTES = 8;

/**
 * The ids of the rows that were backfilled into a namespace, for good: the platform itself remembers message ids for a
 * day of log time only. An id is 8 bytes, big-endian.
 */
export interface RowLedger {
  /** How many ids it has, and the log time at which the last were added; undefined when it is empty. */
  summarize(): Promise<{ readonly ids: number; readonly logTimeMs: number | undefined }>;
  /** All ids, in pieces. */
  read(): AsyncIterable<Buffer>;
  /** Resolves when the ids are durable. */
  append(ids: Buffer, logTimeMs: number): Promise<void>;
  /** Forgets all, because the namespace was made anew. */
  clear(): Promise<void>;
}
