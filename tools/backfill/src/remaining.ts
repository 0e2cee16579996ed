import type { History, RowId, SegmentTrack } from '@perennial/history';
import { type Sent, toSentOrders, UNSENT } from './find-sent.js';
import type { SentOrder } from './ledger-codec.js';

/** The events of a file that are still to be sent, numbered anew in the same order of time. */
export interface Remaining {
  readonly length: number;
  timestampMs(index: number): number;
  userNumber(index: number): number;
  event(index: number): SegmentTrack;
  line(index: number): number;
  rowId(index: number): RowId;
  /** For the ledger; none where nothing names an order. */
  orders(index: number): readonly SentOrder[];
}

export function toRemaining(history: History, { flags, paidBack, returned }: Sent): Remaining {
  const indexes = new Uint32Array(flags.reduce((count, flag) => count + (flag === UNSENT ? 1 : 0), 0));
  let length = 0;
  for (let index = 0; index < flags.length; index++) if (flags[index] === UNSENT) indexes[length++] = index;
  const at = (index: number) => indexes[index] as number;
  return {
    length,
    timestampMs: (index) => history.timestampMs(at(index)),
    userNumber: (index) => history.userNumber(at(index)),
    event: (index) => {
      const further = returned.get(at(index));
      if (further !== undefined) return further.event;
      const known = paidBack.get(at(index));
      return known === undefined ? history.event(at(index)) : history.furtherTotal(at(index), known);
    },
    line: (index) => history.line(at(index)),
    rowId: (index) => history.rowId(at(index)),
    orders: (index) => returned.get(at(index))?.sent ?? toSentOrders(history, at(index)),
  };
}
