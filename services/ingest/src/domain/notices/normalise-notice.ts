import type { Consent, Notice, NoticeType, Outcome, ReportedContact } from '@perennial/contracts';
import { toDeterministicId } from '@perennial/kernel';
import { checkSize } from '../check-size.js';
import type { Arrival, NormalisedEvent } from '../event-shape.js';
import { UNPLANNED } from '../judge-by-plan.js';
import { LIMITS } from '../limits.js';
import { parseIds } from '../parse-ids.js';
import { NO_MONEY } from '../parse-money.js';
import {
  encodeProperties,
  type Inspection,
  inspectJson,
  isAbsent,
  type JsonObject,
  parseProperties,
} from '../parse-properties.js';
import { parseMessageId } from '../parse-text.js';
import { parseTimes } from '../parse-timestamp.js';
import { BUILT_IN_PLACEHOLDERS } from '../placeholder-ids.js';
import { NO_TRAITS } from '../read-event-traits.js';
import { Rejection, toExcerpt } from '../rejection.js';
import { checkGrant, checkReport } from './may-report.js';
import { parseConsent } from './parse-consent.js';
import { parseContact, parseOutcome } from './parse-outcome.js';

const PROFILE_KEY = /^[\w-]{22}$/;

/** A report with what conditions of features may read of it, as properties. */
interface Said {
  readonly name: string;
  readonly notice: (messageId: string) => Notice;
  readonly properties: JsonObject;
  /** What two reports of the same have alike; with the time it stands in for a message id. */
  readonly identity: string;
}

/** Normalises a report of others: what came of an action, a contact of another system, a consent. Pure; never throws. */
export function normaliseNotice(
  raw: JsonObject,
  { type, arrival, inspection }: { type: NoticeType; arrival: Arrival; inspection: Inspection },
): NormalisedEvent | Rejection {
  const barred = checkReport(type, arrival);
  if (barred !== undefined) return barred.at('type');
  const who = readWho(raw, arrival);
  if (who instanceof Rejection) return who.at('ids');
  const given = readMessageId(raw, arrival);
  if (given instanceof Rejection) return given.at('message_id');
  const times = parseTimes(raw, arrival);
  if (times instanceof Rejection) return times.at('clock');
  const said = parseSaid(raw, type, (consent) => checkGrant(consent, arrival, who));
  if (said instanceof Rejection) return said.at('properties');
  const propertiesJson = encodeSaid(said, inspection);
  if (propertiesJson instanceof Rejection) return propertiesJson.at('encode');
  const messageId = given ?? toMessageId(raw, type, said.identity) ?? arrival.createMessageId();
  const { timestampMs, receivedAtMs, isSentAtIgnored } = times;
  return {
    kind: 'accepted',
    messageId,
    type,
    name: said.name,
    ...who,
    timestampMs,
    receivedAtMs,
    propertiesJson,
    notice: said.notice(messageId),
    ...NO_MONEY,
    ...UNPLANNED,
    said: NO_TRAITS,
    timeZone: '',
    ignored: isSentAtIgnored ? ['sent_at'] : [],
  };
}

type Who = Pick<NormalisedEvent, 'userId' | 'anonymousId' | 'profileKey'>;

/** The profile's key, as edges have it, or an id. A device beside a user says nothing: a report joins nobody. */
function readWho(raw: JsonObject, { placeholders = BUILT_IN_PLACEHOLDERS }: Arrival): Who | Rejection {
  const { profileKey } = raw;
  if (!isAbsent(profileKey)) {
    if (typeof profileKey === 'string' && PROFILE_KEY.test(profileKey)) {
      return { profileKey, userId: undefined, anonymousId: undefined };
    }
    const message = `profileKey must be 22 letters, digits, - and _, not ${toExcerpt(profileKey)}`;
    return new Rejection('invalid_id', message).on('profileKey', profileKey);
  }
  const ids = parseIds(raw, placeholders);
  if (ids instanceof Rejection) {
    if (ids.reason !== 'missing_id') return ids;
    return new Rejection('missing_id', 'userId, anonymousId or profileKey is needed').on('userId');
  }
  const { userId, anonymousId } = ids;
  return userId === undefined ? { userId, anonymousId } : { userId, anonymousId: undefined };
}

function readMessageId(
  raw: JsonObject,
  { placeholders = BUILT_IN_PLACEHOLDERS }: Arrival,
): string | undefined | Rejection {
  const messageId = parseMessageId(raw.messageId);
  return typeof messageId === 'string' && placeholders.has(messageId) ? undefined : messageId;
}

/** Without an id of its own a report is the same as one of the same content and time; without a time only an outcome is. */
function toMessageId(raw: JsonObject, type: NoticeType, identity: string): string | undefined {
  const time = isAbsent(raw.timestamp) ? raw.originalTimestamp : raw.timestamp;
  if (isAbsent(time)) return type === 'outcome' ? `${type}:${toDeterministicId(type, identity)}` : undefined;
  return `${type}:${toDeterministicId(type, identity, String(time))}`;
}

function parseSaid(
  raw: JsonObject,
  type: NoticeType,
  check: (consent: Consent) => Rejection | undefined,
): Said | Rejection {
  const further = parseProperties(raw.properties, 'properties');
  if (further instanceof Rejection) return further;
  switch (type) {
    case 'outcome': {
      const outcome = parseOutcome(raw);
      return outcome instanceof Rejection ? outcome : toOutcome(outcome, further);
    }
    case 'contact': {
      const contact = parseContact(raw);
      return contact instanceof Rejection ? contact : toContact(contact, further);
    }
    case 'consent': {
      const consent = parseConsent(raw);
      if (consent instanceof Rejection) return consent;
      return check(consent) ?? toConsent(consent, further);
    }
  }
}

function toOutcome(outcome: Outcome, further: JsonObject): Said {
  const { actionId, kind, channel, value, topic } = outcome;
  return {
    name: kind,
    notice: () => ({ notice: { $case: 'outcome', value: outcome } }),
    properties: { ...further, ...withoutEmpty({ actionId, channel, value, topic }) },
    // One message may end two topics at once.
    identity: JSON.stringify([actionId, kind, channel, topic]),
  };
}

function toContact(contact: Omit<ReportedContact, 'id'>, further: JsonObject): Said {
  const { channel, strategy, campaign } = contact;
  return {
    name: channel,
    notice: (id) => ({ notice: { $case: 'contact', value: { ...contact, id } } }),
    properties: { ...further, ...withoutEmpty({ channel, strategy, campaign }) },
    identity: JSON.stringify([channel, strategy, campaign]),
  };
}

function toConsent(consent: Consent, further: JsonObject): Said {
  const { permissions, source, textVersion } = consent;
  const purposes = Object.fromEntries(consent.purposes.map(({ purpose, granted }) => [purpose, granted]));
  return {
    name: '',
    notice: () => ({ notice: { $case: 'consent', value: consent } }),
    properties: { ...further, purposes, permissions, ...withoutEmpty({ source, textVersion }) },
    identity: JSON.stringify([consent.purposes, permissions]),
  };
}

function withoutEmpty(fields: Readonly<Record<string, unknown>>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isAbsent(value)));
}

function encodeSaid({ properties }: Said, inspection: Inspection): string | Rejection {
  const found = inspection.hasInfinity ? inspectJson(properties) : inspection;
  if (!(found instanceof Rejection) && found.hasInfinity) {
    return new Rejection('invalid_properties', 'a number is too large for a double (beyond 1.8e308)').on('properties');
  }
  const json = encodeProperties(properties, inspection);
  if (json.length * 3 <= LIMITS.eventBytesMax) return json;
  return checkSize(Buffer.byteLength(json), 'its properties') ?? json;
}
