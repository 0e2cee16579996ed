import type { OutgoingRecord } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';
import type { Rejection } from './domain/rejection.js';
import { type RecordContext, type RejectedText, toRejectedRecord, toRejectedText } from './records.js';

/**
 * Bytes of the further events in one record of `event.rejected`. Their text grows by up to 2 in the record's JSON, and a
 * broker accepts 1 MiB. A body has 500 KB, so one record is nearly always enough.
 */
const MORE_BYTES_MAX = 400 * 1024;

/** An event that was rejected, as it came. */
export interface RejectedItem {
  readonly rejection: Rejection;
  readonly json: unknown;
}

interface Group {
  readonly first: RejectedItem;
  readonly more: RejectedText[];
  bytes: number;
}

/**
 * The rejected events of one request as records: those that the same step rejected for the same reason share a record
 * with a count, so that a batch of 2,500 bad events does not become 2,500 records. Each event is in exactly one record,
 * with its own message, and can be redriven from it.
 */
export function toRejectedRecords(
  items: readonly RejectedItem[],
  origin: { readonly sourceId: string; readonly receivedAtMs: number },
  context: RecordContext,
): OutgoingRecord[] {
  return groupEqual(items).map(({ first, more }) => {
    const { rejection, json } = first;
    const rejected = { rejection, event: { json }, more, position: 'http', ...origin };
    return toRejectedRecord({ ...rejected, id: createRandomToken() }, context);
  });
}

function groupEqual(items: readonly RejectedItem[]): Group[] {
  const groups: Group[] = [];
  const open = new Map<string, Group>();
  for (const item of items) {
    const key = `${item.rejection.step} ${item.rejection.reason}`;
    const group = open.get(key);
    const text = toRejectedText(item.rejection, item.json);
    const bytes = Object.values(text).reduce((sum, part) => sum + Buffer.byteLength(part), 0);
    if (group !== undefined && group.bytes + bytes <= MORE_BYTES_MAX) {
      group.more.push(text);
      group.bytes += bytes;
    } else {
      const started = { first: item, more: [], bytes: 0 };
      groups.push(started);
      open.set(key, started);
    }
  }
  return groups;
}
