import type { SentRow } from './ledger-codec.js';
import { BACKFILL_LIMITS } from './limits.js';
import type { Remaining } from './remaining.js';

/** One event as sent. */
export interface Outgoing {
  readonly userId: string;
  readonly json: string;
  /** Line of its first row in the file. */
  readonly line: number;
  /** What the ledger keeps of it. */
  readonly sent: SentRow;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** How many lanes to use for a number of events: a request of few events costs nearly as much as one of many. */
export function toLaneCount(events: number): number {
  return Math.max(1, Math.min(BACKFILL_LIMITS.lanesMax, Math.ceil(events / BACKFILL_LIMITS.batchEventsMax)));
}

/** The batches of one lane, in order: the events of the users assigned to it, within the front door's limits. */
export function* toBatches(
  history: Omit<Remaining, 'length' | 'timestampMs'>,
  range: Range,
  lane: { number: number; count: number },
): Generator<Outgoing[]> {
  let batch: Outgoing[] = [];
  let bytes = 0;
  for (let index = range.from; index < range.to; index++) {
    if (history.userNumber(index) % lane.count !== lane.number) continue;
    const event = history.event(index);
    const json = JSON.stringify(event);
    const size = Buffer.byteLength(json) + 1;
    if (batch.length >= BACKFILL_LIMITS.batchEventsMax || bytes + size > BACKFILL_LIMITS.batchBytesMax) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    const sent = { id: history.rowId(index), orders: history.orders(index) };
    batch.push({ userId: event.userId, json, line: history.line(index), sent });
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
