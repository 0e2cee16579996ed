import type { OutgoingRecord } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';
import { LIMITS } from './domain/limits.js';
import { type CallType, normalise } from './domain/normalise.js';
import type { ClockMode } from './domain/parse-timestamp.js';
import { Rejection } from './domain/rejection.js';
import { type RejectedItem, toRejectedRecords } from './group-rejected.js';
import { type RecordContext, toAcceptedRecord } from './records.js';

/** The parsed content of one HTTP request. */
export interface ReceivedCalls {
  readonly items: readonly unknown[];
  /** Converts an item of the body to the Segment shape, for clients with another format. */
  readonly toSegment?: (item: unknown) => unknown;
  readonly callType?: CallType | undefined;
  readonly sentAt?: unknown;
  /** Bytes of the whole body. */
  readonly bytes: number;
  readonly sourceId: string;
  /** The source's currency, for events that say none. */
  readonly currency: string | undefined;
  readonly receivedAtMs: number;
}

/** Records to write for a request, and the rejections. */
export interface ReceiveResult {
  readonly records: readonly OutgoingRecord[];
  readonly acceptedCount: number;
  readonly rejections: ReadonlyArray<{ readonly index: number; readonly rejection: Rejection }>;
}

/** Converts calls to records: each call is in exactly one of them, accepted or rejected. */
export function receiveCalls(calls: ReceivedCalls, clockMode: ClockMode, context: RecordContext): ReceiveResult {
  const { items, toSegment, callType, sentAt, bytes, sourceId, currency, receivedAtMs } = calls;
  // The body of a single call is the event, and a small batch has only small events; in a large one each is measured.
  const bytesMax = callType !== undefined || bytes <= LIMITS.eventBytesMax ? bytes : undefined;
  const arrival = { callType, sentAt, receivedAtMs, clockMode, bytesMax, currency, createMessageId: createRandomToken };
  const rejections: Array<{ index: number; rejection: Rejection }> = [];
  const rejectedItems: RejectedItem[] = [];
  const accepted = items.flatMap((item, index) => {
    const event = normalise(toSegment === undefined ? item : toSegment(item), arrival);
    if (!(event instanceof Rejection)) return [toAcceptedRecord(event, sourceId, context)];
    rejections.push({ index, rejection: event });
    rejectedItems.push({ rejection: event, json: item });
    return [];
  });
  const rejected = toRejectedRecords(rejectedItems, { sourceId, receivedAtMs }, context);
  return { records: [...accepted, ...rejected], acceptedCount: accepted.length, rejections };
}
