import { LIMITS } from './limits.js';
import {
  encodeProperties,
  inspectJson,
  isJsonObject,
  type JsonObject,
  parseProperties,
  parseRevenue,
} from './parse-properties.js';
import { parseId, parseMessageId, parseName } from './parse-text.js';
import { type ClockMode, correctClock, parseMoment } from './parse-timestamp.js';
import { Rejection, toExcerpt } from './rejection.js';
import { parseTimeZone } from './time-zone.js';

export const CALL_TYPES = ['track', 'identify', 'page', 'screen', 'group', 'alias'] as const;

/** The calls of the Segment API. */
export type CallType = (typeof CALL_TYPES)[number];

/** What the door knows about an event besides its body. */
export interface Arrival {
  /** The call that the URL names; absent where the body must name it. */
  readonly callType?: CallType | undefined;
  /** The door's clock, ms. */
  readonly receivedAtMs: number;
  readonly clockMode: ClockMode;
  /** `sentAt` of the batch, where the event has none of its own. */
  readonly sentAt?: unknown;
  /** An upper bound of the event's size where the door has one; without it the size is measured. */
  readonly bytesMax?: number | undefined;
  /** The id of a message that has none. */
  readonly createMessageId: () => string;
}

/** An event in the one form that the rest of the platform knows, with its external ids still in the open. */
export interface NormalisedEvent {
  readonly kind: 'accepted';
  readonly messageId: string;
  readonly type: CallType;
  /** The event's name for track, the page's or screen's where it has one; else ''. */
  readonly name: string;
  readonly userId: string | undefined;
  readonly anonymousId: string | undefined;
  readonly timestampMs: number;
  readonly receivedAtMs: number;
  /** A JSON object as text. */
  readonly propertiesJson: string;
  /** IANA name or ''. */
  readonly timeZone: string;
}

/** One event in the Segment shape, from either door, as the platform's event or as a refusal. Pure; never throws. */
export function normalise(raw: unknown, arrival: Arrival): NormalisedEvent | Rejection {
  if (!isJsonObject(raw))
    return new Rejection('not_an_object', `an event must be a JSON object, not ${toExcerpt(raw)}`);
  const inspection = inspectJson(raw);
  if (inspection instanceof Rejection) return inspection;
  const oversize = checkSize(arrival.bytesMax ?? Buffer.byteLength(JSON.stringify(raw)), 'the event');
  if (oversize !== undefined) return oversize;

  const type = parseType(raw.type, arrival.callType);
  if (type instanceof Rejection) return type;
  const ids = parseIds(raw, type);
  if (ids instanceof Rejection) return ids;
  const messageId = parseMessageId(raw.messageId);
  if (messageId instanceof Rejection) return messageId;
  const name = parseCallName(raw, type);
  if (name instanceof Rejection) return name;
  const times = parseTimes(raw, arrival);
  if (times instanceof Rejection) return times;
  const properties = parseCallProperties(raw, type, name);
  if (properties instanceof Rejection) return properties;
  if (inspection.hasInfinity) {
    return new Rejection('invalid_properties', 'a number is too large for a double (beyond 1.8e308)');
  }

  const propertiesJson = encodeProperties(properties, inspection);
  // 1e20 is 4 bytes in and 21 out: the bound must hold for what goes on, too.
  const grown =
    propertiesJson.length * 3 <= LIMITS.eventBytesMax
      ? undefined
      : checkSize(Buffer.byteLength(propertiesJson), 'its properties');
  if (grown !== undefined) return grown;
  const context = isJsonObject(raw.context) ? raw.context : {};
  return {
    kind: 'accepted',
    messageId: messageId ?? arrival.createMessageId(),
    type,
    name,
    ...ids,
    ...times,
    propertiesJson,
    timeZone: parseTimeZone(context.timezone),
  };
}

function checkSize(bytes: number, what: string): Rejection | undefined {
  if (bytes <= LIMITS.eventBytesMax) return undefined;
  return new Rejection('event_too_large', `${what} has ${bytes} bytes, ${LIMITS.eventBytesMax} at most`);
}

function parseType(value: unknown, callType: CallType | undefined): CallType | Rejection {
  if (value === undefined && callType !== undefined) return callType;
  const type = CALL_TYPES.find((name) => name === value);
  if (type === undefined) {
    return new Rejection('invalid_type', `type must be one of ${CALL_TYPES.join(', ')}, not ${toExcerpt(value)}`);
  }
  if (callType !== undefined && type !== callType) {
    return new Rejection('invalid_type', `type is ${type}, but it was sent as ${callType}`);
  }
  return type;
}

function parseIds(
  raw: JsonObject,
  type: CallType,
): { userId: string | undefined; anonymousId: string | undefined } | Rejection {
  const userId = parseId(raw.userId, 'userId');
  if (userId instanceof Rejection) return userId;
  const anonymousId = parseId(raw.anonymousId, 'anonymousId');
  if (anonymousId instanceof Rejection) return anonymousId;
  if (userId === undefined && (type === 'alias' || anonymousId === undefined)) {
    return new Rejection('missing_id', type === 'alias' ? 'alias needs a userId' : 'userId or anonymousId is needed');
  }
  if (type === 'alias') {
    const previousId = parseId(raw.previousId, 'previousId');
    if (previousId instanceof Rejection) return previousId;
    if (previousId === undefined) return new Rejection('missing_id', 'alias needs a previousId');
  }
  return { userId, anonymousId };
}

function parseCallName(raw: JsonObject, type: CallType): string | Rejection {
  switch (type) {
    case 'track':
      return parseName(raw.event, 'event');
    case 'page':
    case 'screen':
      // A page without a name is a page: SDKs send null or leave it out.
      return raw.name === undefined || raw.name === null || raw.name === '' ? '' : parseName(raw.name, 'name');
    case 'identify':
    case 'group':
    case 'alias':
      return '';
  }
}

function parseTimes(raw: JsonObject, arrival: Arrival): { timestampMs: number; receivedAtMs: number } | Rejection {
  // Clients send `timestamp` (Segment) or `originalTimestamp` (RudderStack) and mean the same.
  const field =
    raw.originalTimestamp === undefined || raw.originalTimestamp === null ? 'timestamp' : 'originalTimestamp';
  const original = parseMoment(raw[field], field);
  if (original instanceof Rejection) return original;
  const sentAt = parseMoment(raw.sentAt ?? arrival.sentAt, 'sentAt');
  if (sentAt instanceof Rejection) return sentAt;
  return correctClock({ original, sentAt, receivedAtMs: arrival.receivedAtMs, clockMode: arrival.clockMode });
}

const ORDER_EVENTS: ReadonlySet<string> = new Set(['Order Completed', 'Order Refunded']);

function parseCallProperties(raw: JsonObject, type: CallType, name: string): JsonObject | Rejection {
  switch (type) {
    case 'track': {
      const properties = parseProperties(raw.properties, 'properties');
      if (properties instanceof Rejection) return properties;
      const priced = parseRevenue(properties, 'revenue');
      // `total` is money on orders only; elsewhere it may be anything.
      return priced instanceof Rejection || !ORDER_EVENTS.has(name) ? priced : parseRevenue(priced, 'total');
    }
    case 'page':
    case 'screen':
      return parseProperties(raw.properties, 'properties');
    case 'identify':
      return parseProperties(raw.traits, 'traits');
    case 'group': {
      const groupId = parseId(raw.groupId, 'groupId');
      if (groupId instanceof Rejection) return groupId;
      if (groupId === undefined) return new Rejection('missing_id', 'group needs a groupId');
      const traits = parseProperties(raw.traits, 'traits');
      return traits instanceof Rejection ? traits : { ...traits, groupId };
    }
    case 'alias':
      return {};
  }
}
