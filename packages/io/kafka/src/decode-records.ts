import type { Batch } from 'kafkajs';
import type { FetchedMessage } from './decode-fetch.js';
import type { LogRecord } from './log.js';

/** What kafkajs passes on of one partition: the records, and the offset behind them and behind all that is no record. */
export interface Delivery {
  /** Where the offsets without a record begin, up to `next`; `next` where there are none. */
  readonly passedFrom: number;
  readonly records: readonly LogRecord[];
  readonly next: number;
}

/** kafkajs's messages are those that `decode-fetch.ts` made. */
export function toDelivery(batch: Pick<Batch, 'messages' | 'lastOffset'>): Delivery {
  const messages = batch.messages as unknown as readonly FetchedMessage[];
  const records = messages.map(({ record }) => record).filter((record) => record !== undefined);
  const next = Number(batch.lastOffset()) + 1;
  return { records, passedFrom: messages.at(-1)?.passedFrom ?? next, next };
}
