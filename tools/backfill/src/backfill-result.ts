import type { BadRows, EventTypeCount, History } from '@perennial/history';
import type { SentSummary } from './find-sent.js';
import type { Lags } from './quiet.js';

/** Events that ingest rejected for one reason, and the first of them. */
export interface RejectedEvents {
  readonly reason: string;
  readonly count: number;
  readonly first: ReadonlyArray<{ readonly line: number; readonly message: string }>;
}

/** Result of a backfill. Numbers of events and ticks are of this run; rows, orders and refunds are of the file. */
export interface BackfillResult {
  readonly file: string;
  readonly sha256: string;
  readonly namespace: string;
  /** How the file was read: encoding, separator, decimal character, and the columns that nothing reads. */
  readonly dialect: History['dialect'];
  readonly rows: number;
  readonly badRows: BadRows;
  /** Rows that `--where` or the preset leaves out. */
  readonly leftOut: History['leftOut'];
  /** Rows that an earlier run has sent, from this file or another. */
  readonly repeatedRows: number;
  /**
   * Orders, sessions and refunds of earlier runs whose rows or amounts are others now: not sent, since what was sent cannot
   * be taken back. A refund that has grown is not among them: what it has grown by is sent.
   */
  readonly changedOrders: SentSummary['changed'];
  /** Events with the id, in the column that names rows, of an earlier event of the file. */
  readonly sameId: number;
  readonly eventTypes: readonly EventTypeCount[];
  /** What may not be as it was meant. */
  readonly warnings: readonly string[];
  readonly events: {
    readonly sent: number;
    readonly accepted: number;
    readonly rejected: number;
    /** Sent by an earlier run, and so not sent by this one. */
    readonly repeated: number;
    /** Sent, and known to the platform already. */
    readonly duplicates: number | null;
    /**
     * `answers`: the answers of the front door (HTTP). `topics`: records of event.accepted and event.rejected (Kafka).
     */
    readonly countedBy: 'answers' | 'topics';
    /** By reason, those with most events first; over Kafka none is known: `dlq list` has them. */
    readonly rejections: readonly RejectedEvents[];
  };
  readonly orders: number;
  readonly refunds: number;
  readonly others: number;
  readonly users: number;
  readonly firstTs: string | null;
  readonly lastTs: string | null;
  /** Time of the latest row that an earlier run has sent. */
  readonly resumedFrom: string | null;
  readonly ticks: number;
  readonly logTime: string | null;
  /** False when the platform did not become quiet within the limit; `lags` names the consumers that are behind. */
  readonly settled: boolean;
  readonly lags: Lags;
  readonly seconds: number;
  /** True when every row was sent by earlier runs. */
  readonly alreadyBackfilled: boolean;
}
