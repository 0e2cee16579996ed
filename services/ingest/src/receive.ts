import { isBehaviour } from '@perennial/contracts';
import type { IdentityRules } from '@perennial/identity';
import type { OutgoingRecord } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';
import type { PlanViolation } from '@perennial/tracking-plan';
import type { LeftOutReason } from '@perennial/traits';
import { parseBatchContext, withBatchContext } from './domain/batch-context.js';
import type { EventType } from './domain/event-shape.js';
import type { IgnoredField } from './domain/ignored-field.js';
import type { PlanInForce } from './domain/judge-by-plan.js';
import { LIMITS } from './domain/limits.js';
import { normalise } from './domain/normalise.js';
import { isJsonObject } from './domain/parse-properties.js';
import type { ClockMode } from './domain/parse-timestamp.js';
import type { PlaceholderIds } from './domain/placeholder-ids.js';
import { Rejection } from './domain/rejection.js';
import { type RejectedItem, toRejectedRecords } from './group-rejected.js';
import { type RecordContext, toAcceptedRecord } from './records.js';

/** The parsed content of one HTTP request. */
export interface ReceivedCalls {
  readonly items: readonly unknown[];
  /** Converts an item of the body to the Segment shape, for clients with another format. */
  readonly toSegment?: (item: unknown) => unknown;
  readonly callType?: EventType | undefined;
  readonly sentAt?: unknown;
  /** `context` of a batch: its events inherit what they do not say themselves. */
  readonly context?: unknown;
  readonly placeholders?: PlaceholderIds | undefined;
  readonly identity?: IdentityRules | undefined;
  /** The source's tracking plan. */
  readonly plan?: PlanInForce | undefined;
  /** The request says so in its header. */
  readonly gpc?: boolean | undefined;
  /** Bytes of the whole body. */
  readonly bytes: number;
  readonly sourceId: string;
  /** The source's currency, for events that say none. */
  readonly currency: string | undefined;
  /** Whether the source may report for anybody. */
  readonly reports: boolean;
  readonly receivedAtMs: number;
}

/** Records to write for a request, and the rejections. */
export interface ReceiveResult {
  readonly records: readonly OutgoingRecord[];
  readonly acceptedCount: number;
  /** Fields of the accepted events whose value could not be used. */
  readonly ignored: readonly IgnoredField[];
  /** Personal fields of the accepted events that went no further. */
  readonly withheld: number;
  /** Traits of the accepted events that were not read, by their reason. */
  readonly leftOut: readonly LeftOutReason[];
  /** What the source's plan does not allow in the accepted events. */
  readonly violations: readonly PlanViolation[];
  readonly rejections: ReadonlyArray<{ readonly index: number; readonly rejection: Rejection }>;
}

/** Converts calls to records: each call is in exactly one of them, accepted or rejected. */
export function receiveCalls(calls: ReceivedCalls, clockMode: ClockMode, context: RecordContext): ReceiveResult {
  const { items, toSegment, callType, sentAt, bytes, sourceId, currency, receivedAtMs, placeholders, plan, identity } =
    calls;
  // The body of a single call is the event, and a small batch has only small events; in a large one each is measured.
  const isAlone = callType !== undefined && items.length === 1;
  const bytesMax = isAlone || bytes <= LIMITS.eventBytesMax ? bytes : undefined;
  const createMessageId = createRandomToken;
  const inherited = parseBatchContext(calls.context);
  const arrival = {
    callType,
    sentAt,
    timeZone: inherited?.timezone,
    receivedAtMs,
    clockMode,
    bytesMax,
    currency,
    placeholders,
    identity,
    plan,
    gpc: calls.gpc,
    reports: calls.reports,
    createMessageId,
  };
  const ignored: IgnoredField[] = [];
  const violations: PlanViolation[] = [];
  const leftOut: LeftOutReason[] = [];
  let withheld = 0;
  const rejections: Array<{ index: number; rejection: Rejection }> = [];
  const rejectedItems: RejectedItem[] = [];
  const accepted = items.flatMap((sent, index) => {
    const item = withBatchContext(sent, inherited);
    const segment = toSegment === undefined ? item : toSegment(item);
    const event = normalise(segment, arrival);
    if (!(event instanceof Rejection)) {
      ignored.push(...event.ignored);
      violations.push(...event.violations);
      leftOut.push(...event.said.leftOut);
      withheld += event.withheld;
      return [toAcceptedRecord(event, sourceId, context)];
    }
    rejections.push({ index, rejection: event });
    rejectedItems.push({ rejection: event, json: toKept(callType, item, segment) });
    return [];
  });
  const rejected = toRejectedRecords(rejectedItems, { sourceId, receivedAtMs }, context);
  const records = [...accepted, ...rejected];
  return { records, acceptedCount: accepted.length, ignored, withheld, leftOut, violations, rejections };
}

/** As it came; a report as ingest reads it, with its type, so that it can be redriven by itself. */
function toKept(callType: EventType | undefined, item: unknown, segment: unknown): unknown {
  if (callType === undefined || isBehaviour(callType) || !isJsonObject(segment)) return item;
  return { type: callType, ...segment };
}
