import { OUTCOME_KINDS } from '@perennial/contracts';
import { toDeterministicId } from '@perennial/kernel';
import { LIMITS } from '../limits.js';
import { isAbsent, isJsonObject, type JsonObject } from '../parse-properties.js';

/** Names under which providers send each field: the first that is there counts. */
const FIELDS = {
  actionId: ['actionId', 'action_id'],
  outcome: ['outcome', 'event', 'type', 'RecordType', 'status'],
  userId: ['userId', 'user_id'],
  anonymousId: ['anonymousId', 'anonymous_id'],
  profileKey: ['profileKey', 'profile_key'],
  timestamp: ['timestamp', 'time', 'occurred_at', 'created_at', 'ts'],
  channel: ['channel'],
  topic: ['topic', 'list'],
  value: ['value'],
} as const;

/** Of the event, and at the top only: among the sender's own values an id is something else's. */
const EVENT_IDS = ['id', 'eventId', 'event_id', 'sg_event_id'];
/** Of the message that the event is about: the same from its delivery to its last click. */
const MESSAGE_IDS = ['messageId', 'message_id'];

/** Where senders' own values come back, in the order in which they are looked at. */
const INNER = ['metadata', 'custom_args', 'custom_data', 'unique_args', 'user_variables', 'variables', 'Metadata'];

/** What providers call the outcomes. */
const ALIASES: Readonly<Record<string, string>> = {
  sent: 'handed_over',
  send: 'handed_over',
  accepted: 'handed_over',
  processed: 'handed_over',
  delivery: 'delivered',
  open: 'opened',
  click: 'clicked',
  conversion: 'converted',
  bounce: 'bounced',
  failed: 'bounced',
  dropped: 'bounced',
  undelivered: 'bounced',
  complaint: 'complained',
  spamreport: 'complained',
  spamcomplaint: 'complained',
  unsubscribe: 'unsubscribed',
  subscriptionchange: 'unsubscribed',
  group_unsubscribe: 'unsubscribed',
};

const STATUS = /^[\w.-]{1,20}$/;

/** Before this many a number is seconds: as milliseconds it would be a day of 2001, before any of these providers. */
const SECONDS_MAX = 1e12;

/**
 * An item of a provider's webhook as an outcome: fields by their usual names, at the top or among the sender's own values,
 * which must have the action's id. The provider's id makes the message id, so a repeat changes nothing. The address that it went
 * to, and all else that may be personal, stays behind.
 */
export function fromWebhook(item: unknown, provider: string): unknown {
  if (!isJsonObject(item)) return item;
  const outer = [item, ...INNER.map((name) => item[name]).filter(isJsonObject)];
  const read = (names: readonly string[]) => {
    for (const part of outer) for (const name of names) if (!isAbsent(part[name])) return part[name];
    return undefined;
  };
  const actionId = read(FIELDS.actionId);
  const outcome = toOutcome(read(FIELDS.outcome), item);
  const topic = read(FIELDS.topic);
  const timestamp = toTimestamp(read(FIELDS.timestamp));
  return {
    type: 'outcome',
    actionId,
    outcome,
    userId: read(FIELDS.userId),
    anonymousId: read(FIELDS.anonymousId),
    profileKey: read(FIELDS.profileKey),
    timestamp,
    messageId: toMessageId(item, { provider, outcome, actionId, topic, timestamp }),
    channel: read(FIELDS.channel),
    topic,
    value: read(FIELDS.value),
    properties: { ...toStatus(item), provider },
  };
}

function toOutcome(value: unknown, { SuppressSending }: JsonObject): unknown {
  if (typeof value !== 'string') return value;
  // Postmark's change back. It says nothing of who wanted it, so it is no consent either.
  if (value.toLowerCase() === 'subscriptionchange' && SuppressSending === false) return value;
  // `email.opened` of some is `opened` of others.
  const name = value.split('.').at(-1)?.toLowerCase() ?? '';
  const known = (OUTCOME_KINDS as readonly string[]).includes(name);
  return known ? name : Object.hasOwn(ALIASES, name) ? ALIASES[name] : value;
}

function toTimestamp(value: unknown): unknown {
  const number = typeof value === 'string' && /^\d{9,10}(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number < SECONDS_MAX ? Math.round(number * 1000) : number;
}

/** Ids of some providers name the mail and not what came of it, so all that tells two reports apart is in it. */
function toMessageId(
  item: JsonObject,
  { provider, outcome, actionId, topic, timestamp }: Readonly<Record<string, unknown>>,
): string | undefined {
  const eventId = readId(item, EVENT_IDS);
  const id = eventId ?? readId(item, MESSAGE_IDS);
  if (id === undefined) return undefined;
  const parts = [provider, outcome, actionId, id, ...(eventId === undefined ? [topic, timestamp] : [])];
  const named = parts.filter((part) => !isAbsent(part)).join(':');
  return named.length <= LIMITS.messageIdCharsMax ? named : `${provider}:${toDeterministicId(named)}`;
}

function readId(item: JsonObject, names: readonly string[]): string | number | undefined {
  return names.map((name) => item[name]).find(isId);
}

function isId(value: unknown): value is string | number {
  return (typeof value === 'string' && value !== '') || typeof value === 'number';
}

/** A code such as 5.1.1: texts of providers name the address, and links the person. */
function toStatus({ status }: JsonObject): JsonObject {
  return typeof status === 'string' && STATUS.test(status) ? { status } : {};
}
