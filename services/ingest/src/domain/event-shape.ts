import { NOTICE_TYPES, type Notice, type NoticeType } from '@perennial/contracts';
import type { IdentityRules, ReadId } from '@perennial/identity';
import type { IgnoredField } from './ignored-field.js';
import type { PlanInForce, PlanResult } from './judge-by-plan.js';
import type { EventMoney } from './parse-money.js';
import type { ClockMode } from './parse-timestamp.js';
import type { PlaceholderIds } from './placeholder-ids.js';
import type { EventTraits } from './read-event-traits.js';

const CALL_TYPES = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const;

/** The calls of the Segment API. */
export type CallType = (typeof CALL_TYPES)[number];

/** What a body may say that it is. */
export type EventType = CallType | NoticeType;

export const EVENT_TYPES: readonly EventType[] = [...CALL_TYPES, ...NOTICE_TYPES];

/** Context of an event besides its body. */
export interface Arrival {
  /** The call in the URL; absent where the body must name it. */
  readonly callType?: EventType | undefined;
  /** Ingest's clock, ms. */
  readonly receivedAtMs: number;
  readonly clockMode: ClockMode;
  /** `sentAt` of the batch, used when the event has no usable one of its own. */
  readonly sentAt?: unknown;
  /** Time zone of the batch, used when the event's own cannot be read. */
  readonly timeZone?: unknown;
  /** An upper bound of the event's size if ingest has one; without it the size is measured. */
  readonly bytesMax?: number | undefined;
  /** The source's currency, for events that say none. */
  readonly currency?: string | undefined;
  /** The ids that stand for nobody; default: the built-in ones. */
  readonly placeholders?: PlaceholderIds | undefined;
  /** The rules about ids in force; default: those before any rollout. */
  readonly identity?: IdentityRules | undefined;
  /** The source's tracking plan. */
  readonly plan?: PlanInForce | undefined;
  /** False for a source whose key may be in a page; absent over Kafka, where whoever may write may report. */
  readonly reports?: boolean | undefined;
  /** The browser says that its user's data are not to be sold or shared (Global Privacy Control). */
  readonly gpc?: boolean | undefined;
  /** The id for a message that has none. */
  readonly createMessageId: () => string;
}

/** An event in the form that the rest of the platform uses, with its external ids in plain text. */
export interface NormalisedEvent extends EventMoney, PlanResult {
  readonly said: EventTraits;
  readonly kind: 'accepted';
  readonly messageId: string;
  readonly type: EventType;
  /** Name of a track event, or of a page or screen that has one; kind of an outcome, channel of a contact; else ''. */
  readonly name: string;
  /** Key of the profile, where a report names it by that; it counts before the ids. */
  readonly profileKey?: string | undefined;
  /** What it says that is no behaviour. */
  readonly notice?: Notice | undefined;
  readonly userId: string | undefined;
  readonly anonymousId: string | undefined;
  /** Who an alias was before. */
  readonly previousId?: string | undefined;
  /** Its ids of other kinds; absent where the rules in force have no other kinds. */
  readonly named?: readonly ReadId[] | undefined;
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  /** A JSON object as text. */
  readonly propertiesJson: string;
  /** What is carried of its context; absent for none. */
  readonly contextJson?: string;
  /** IANA name, `+05:30` for an offset without one, or ''. */
  readonly timeZone: string;
  /** Fields whose value could not be used. */
  readonly ignored: readonly IgnoredField[];
}
