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
  id: ['id', 'eventId', 'event_id', 'sg_event_id', 'messageId', 'message_id'],
  channel: ['channel'],
  topic: ['topic', 'list'],
  value: ['value'],
} as const;

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

/** Before this many a number is seconds: as milliseconds it would be a day of 2001, before any of these providers. */
const SECONDS_MAX = 1e12;

/**
 * An item of a provider's webhook as an outcome: fields by their usual names, at the top or among the sender's own values,
 * which must have the action's id. The provider's id of the event is the message id, so a repeat changes nothing.
 */
export function fromWebhook(item: unknown, provider: string): unknown {
  if (!isJsonObject(item)) return item;
  const outer = [item, ...INNER.map((name) => item[name]).filter(isJsonObject)];
  const read = (names: readonly string[]) => {
    for (const part of outer) for (const name of names) if (!isAbsent(part[name])) return part[name];
    return undefined;
  };
  const outcome = toOutcome(read(FIELDS.outcome));
  return {
    type: 'outcome',
    actionId: read(FIELDS.actionId),
    outcome,
    userId: read(FIELDS.userId),
    anonymousId: read(FIELDS.anonymousId),
    profileKey: read(FIELDS.profileKey),
    timestamp: toTimestamp(read(FIELDS.timestamp)),
    messageId: toMessageId(read(FIELDS.id), provider),
    channel: read(FIELDS.channel),
    topic: read(FIELDS.topic),
    value: read(FIELDS.value),
    properties: toProperties(item, provider),
  };
}

function toOutcome(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  // `email.opened` of some is `opened` of others.
  const name = value.split('.').at(-1)?.toLowerCase() ?? '';
  const known = (OUTCOME_KINDS as readonly string[]).includes(name);
  return known ? name : Object.hasOwn(ALIASES, name) ? ALIASES[name] : value;
}

function toTimestamp(value: unknown): unknown {
  const number = typeof value === 'string' && /^\d{9,10}(\.\d+)?$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && number < SECONDS_MAX ? Math.round(number * 1000) : number;
}

function toMessageId(id: unknown, provider: string): unknown {
  if (typeof id !== 'string' && typeof id !== 'number') return undefined;
  const named = `${provider}:${id}`;
  return named.length <= LIMITS.messageIdCharsMax ? named : `${provider}:${toDeterministicId(named)}`;
}

/** The address that it went to, and all else that may be personal, stays behind. */
function toProperties({ reason, status, url }: JsonObject, provider: string): JsonObject {
  const kept = Object.entries({ reason, status, url }).filter(([, value]) => typeof value === 'string' && value !== '');
  return { ...Object.fromEntries(kept), provider };
}
