import { isBehaviour } from '@perennial/contracts';
import { checkSize } from './check-size.js';
import { type Arrival, type CallType, EVENT_TYPES, type EventType, type NormalisedEvent } from './event-shape.js';
import type { IgnoredField } from './ignored-field.js';
import { judgeByPlan, type PlanResult, UNPLANNED } from './judge-by-plan.js';
import { LIMITS } from './limits.js';
import { readContextConsent } from './notices/context-consent.js';
import { withoutGrant } from './notices/may-report.js';
import { normaliseNotice } from './notices/normalise-notice.js';
import { parseAliasIds, parseIdentifyIds, parseIds } from './parse-ids.js';
import { type EventMoney, NO_MONEY, parseMoney } from './parse-money.js';
import {
  encodeProperties,
  type Inspection,
  inspectJson,
  isJsonObject,
  type JsonObject,
  parseProperties,
} from './parse-properties.js';
import { parseId, parseMessageId, parseName } from './parse-text.js';
import { parseTimes } from './parse-timestamp.js';
import { pickContext } from './pick-context.js';
import { BUILT_IN_PLACEHOLDERS } from './placeholder-ids.js';
import { type EventTraits, NO_TRAITS, readEventTraits } from './read-event-traits.js';
import { Rejection, type StepName, toExcerpt } from './rejection.js';
import { parseTimeZone } from './time-zone.js';

/** An event during the steps; each step fills in its own fields. */
interface Draft {
  readonly raw: JsonObject;
  readonly arrival: Arrival;
  readonly ignored: IgnoredField[];
  readonly inspection: Inspection;
  readonly type: CallType;
  ids: Pick<NormalisedEvent, 'userId' | 'anonymousId' | 'previousId' | 'named'>;
  messageId: string | undefined;
  name: string;
  times: Pick<NormalisedEvent, 'timestampMs' | 'receivedAtMs'>;
  /** As they were sent. */
  sent: JsonObject;
  properties: JsonObject;
  /** As it was sent, until the values that name ids are taken out. */
  context: unknown;
  planned: PlanResult;
  said: EventTraits;
  propertiesJson: string;
  money: EventMoney;
}

/** The steps of behaviour in order. Names are used in metrics and on `event.rejected`. The first step that rejects ends the pass. */
const STEPS: ReadonlyArray<{ readonly name: StepName; run(draft: Draft): Rejection | undefined }> = [
  { name: 'ids', run: readIds },
  { name: 'message_id', run: readMessageId },
  { name: 'name', run: readName },
  { name: 'clock', run: readTimes },
  { name: 'properties', run: readProperties },
  { name: 'plan', run: judge },
  { name: 'traits', run: readTraits },
  { name: 'encode', run: encode },
];

/** Normalises one event in the Segment shape to the platform's event or a rejection. Pure; never throws. */
export function normalise(raw: unknown, arrival: Arrival): NormalisedEvent | Rejection {
  if (!isJsonObject(raw))
    return new Rejection('not_an_object', `an event must be a JSON object, not ${toExcerpt(raw)}`, 'inspect');
  const inspection = inspect(raw, arrival);
  if (inspection instanceof Rejection) return inspection.at('inspect');
  const type = parseType(raw.type, arrival.callType);
  if (type instanceof Rejection) return type.at('type');
  if (!isCall(type)) return normaliseNotice(raw, { type, arrival, inspection });
  const draft = createDraft(raw, { type, arrival, inspection });
  for (const { name, run } of STEPS) {
    const rejection = run(draft);
    if (rejection !== undefined) return rejection.at(name);
  }
  const timeZone = readTimeZone(draft);
  const context = pickContext(draft.context);
  return {
    kind: 'accepted',
    messageId: draft.messageId ?? arrival.createMessageId(),
    type: draft.type,
    name: draft.name,
    ...draft.ids,
    ...draft.times,
    propertiesJson: draft.propertiesJson,
    ...(context === undefined ? {} : { contextJson: JSON.stringify(context) }),
    ...draft.money,
    ...draft.planned,
    said: draft.said,
    ...readConsent(draft),
    timeZone,
    ignored: draft.ignored,
  };
}

function isCall(type: EventType): type is CallType {
  return isBehaviour(type);
}

function createDraft(raw: JsonObject, given: Pick<Draft, 'type' | 'arrival' | 'inspection'>): Draft {
  const { arrival } = given;
  return {
    raw,
    ...given,
    ignored: [],
    ids: { userId: undefined, anonymousId: undefined },
    messageId: undefined,
    name: '',
    times: { timestampMs: 0, receivedAtMs: arrival.receivedAtMs },
    sent: {},
    properties: {},
    context: raw.context,
    planned: UNPLANNED,
    said: NO_TRAITS,
    propertiesJson: '',
    money: NO_MONEY,
  };
}

function inspect(raw: JsonObject, { bytesMax }: Arrival): Inspection | Rejection {
  const inspection = inspectJson(raw);
  if (inspection instanceof Rejection) return inspection;
  return checkSize(bytesMax ?? Buffer.byteLength(JSON.stringify(raw)), 'the event') ?? inspection;
}

const PARSE_IDS: Readonly<Partial<Record<CallType, typeof parseIds>>> = {
  alias: parseAliasIds,
  identify: parseIdentifyIds,
};

function readIds(draft: Draft): Rejection | undefined {
  const { raw, type, arrival } = draft;
  const parse = PARSE_IDS[type] ?? parseIds;
  const ids = parse(raw, arrival.placeholders ?? BUILT_IN_PLACEHOLDERS);
  if (ids instanceof Rejection) return ids;
  const { ignored, ...own } = ids;
  draft.ids = { ...own, ...readOtherIds(draft) };
  draft.ignored.push(...ignored);
  return undefined;
}

/** The ids of other kinds, from the event as it was sent: a plan may withhold the fields that name them. */
function readOtherIds({ raw, type, arrival, ignored }: Draft): Pick<NormalisedEvent, 'named'> {
  const { identity, placeholders = BUILT_IN_PLACEHOLDERS } = arrival;
  if (identity === undefined || identity.others.length === 0) return {};
  // Traits of a group are not of the user.
  const { traits, ...others } = raw;
  const said = type === 'identify' ? { ...others, traits } : others;
  const read = identity.read(said, (id) => placeholders.has(id));
  for (let count = 0; count < read.ignored; count++) ignored.push('other_id');
  return { named: read.ids };
}

/** A placeholder is no id of a message either: all of one person's messages would be one. */
function readMessageId(draft: Draft): Rejection | undefined {
  const messageId = parseMessageId(draft.raw.messageId);
  if (messageId instanceof Rejection) return messageId;
  const { placeholders = BUILT_IN_PLACEHOLDERS } = draft.arrival;
  if (messageId !== undefined && placeholders.has(messageId)) draft.ignored.push('message_id');
  else draft.messageId = messageId;
  return undefined;
}

function readName(draft: Draft): Rejection | undefined {
  const name = parseCallName(draft.raw, draft.type);
  if (name instanceof Rejection) return name;
  draft.name = name;
  return undefined;
}

function readTimes(draft: Draft): Rejection | undefined {
  const times = parseTimes(draft.raw, draft.arrival);
  if (times instanceof Rejection) return times;
  const { timestampMs, receivedAtMs, isSentAtIgnored } = times;
  draft.times = { timestampMs, receivedAtMs };
  if (isSentAtIgnored) draft.ignored.push('sent_at');
  return undefined;
}

/** A zone that cannot be read is counted, and the batch's is as good as that of an event without one. */
function readTimeZone({ raw, ignored, arrival }: Draft): string {
  const { timezone } = isJsonObject(raw.context) ? raw.context : {};
  const timeZone = parseTimeZone(timezone);
  if (timeZone !== '' || timezone === undefined || timezone === null || timezone === '') return timeZone;
  ignored.push('time_zone');
  return parseTimeZone(arrival.timeZone);
}

/** What it says of consent beside what was done; what cannot be read or may not be said is counted, and costs the event nothing. */
function readConsent({ raw, arrival, ids, ignored }: Draft): Pick<NormalisedEvent, 'notice'> {
  const { consent, isUnreadable } = readContextConsent(raw.context, arrival.gpc === true);
  const allowed = consent && withoutGrant(consent, arrival, ids);
  if (isUnreadable || allowed !== consent) ignored.push('consent');
  if (allowed === undefined || allowed.purposes.length === 0) return {};
  return { notice: { notice: { $case: 'consent', value: allowed } } };
}

function readProperties(draft: Draft): Rejection | undefined {
  const properties = parseCallProperties(draft.raw, draft.type);
  if (properties instanceof Rejection) return properties;
  draft.sent = properties;
  draft.properties = properties;
  const rejection = draft.type === 'track' ? readMoney(draft) : undefined;
  if (rejection !== undefined) return rejection;
  // Only what is forwarded is judged, and most events have no such number anywhere.
  if (!draft.inspection.hasInfinity || !hasInfinity(properties)) return undefined;
  const message = 'a number is too large for a double (beyond 1.8e308)';
  return new Rejection('invalid_properties', message).on(toPropertiesField(draft.type));
}

function hasInfinity(properties: JsonObject): boolean {
  const inspection = inspectJson(properties);
  return !(inspection instanceof Rejection) && inspection.hasInfinity;
}

function toPropertiesField(type: CallType): 'traits' | 'properties' {
  return type === 'identify' || type === 'group' ? 'traits' : 'properties';
}

function readMoney(draft: Draft): Rejection | undefined {
  const { raw, arrival, name } = draft;
  const parsed = parseMoney(draft.properties, { name, context: raw.context, sourceCurrency: arrival.currency });
  if (parsed instanceof Rejection) return parsed;
  draft.properties = parsed.properties;
  draft.money = parsed.money;
  return undefined;
}

/** The plan judges what was sent, before amounts are read; personal fields go no further. */
function judge(draft: Draft): Rejection | undefined {
  const { type, name, sent, properties, arrival } = draft;
  if (arrival.plan === undefined || type === 'alias') return undefined;
  const judged = judgeByPlan(arrival.plan, { type, name }, { sent, properties });
  if (judged instanceof Rejection) return judged;
  draft.properties = judged.properties;
  draft.planned = judged.planned;
  return undefined;
}

/** Values that the rules read for ids go no further in clear: the record has their pseudonyms and sealed values. */
function withholdIds(draft: Draft): void {
  const { type, properties, context, planned, arrival } = draft;
  const { identity } = arrival;
  if (identity === undefined || identity.others.length === 0) return;
  if (isJsonObject(context)) draft.context = identity.withhold('context', context).kept;
  // Traits of a group name no id of the user, but may hold a person's all the same. The group's own id is no trait.
  const { groupId, ...traits } = properties;
  const isGroup = type === 'group';
  const { kept, count } = identity.withhold(toPropertiesField(type), isGroup ? traits : properties);
  draft.properties = isGroup ? { ...kept, groupId } : kept;
  if (count > 0) draft.planned = { ...planned, withheld: planned.withheld + count };
}

/** Traits that are personal go no further, also without a plan; nor do ids. */
function readTraits(draft: Draft): undefined {
  withholdIds(draft);
  const { type, properties, context, planned, arrival } = draft;
  const read = readEventTraits({ type, properties, context, plan: arrival.plan });
  draft.properties = read.properties;
  draft.said = read.said;
  if (read.withheld > 0) draft.planned = { ...planned, withheld: planned.withheld + read.withheld };
}

function encode(draft: Draft): Rejection | undefined {
  draft.propertiesJson = encodeProperties(draft.properties, draft.inspection);
  // 1e20 is 4 bytes in and 21 bytes out: the output must be within the limit too.
  if (draft.propertiesJson.length * 3 <= LIMITS.eventBytesMax) return undefined;
  return checkSize(Buffer.byteLength(draft.propertiesJson), 'its properties');
}

function parseType(value: unknown, callType: EventType | undefined): EventType | Rejection {
  if (value === undefined && callType !== undefined) return callType;
  const type = EVENT_TYPES.find((name) => name === value);
  if (type === undefined) {
    const message = `type must be one of ${EVENT_TYPES.join(', ')}, not ${toExcerpt(value)}`;
    return new Rejection('invalid_type', message).on('type', value);
  }
  if (callType !== undefined && type !== callType) {
    return new Rejection('invalid_type', `type is ${type}, but it was sent as ${callType}`).on('type', value);
  }
  return type;
}

function parseCallName(raw: JsonObject, type: CallType): string | Rejection {
  switch (type) {
    case 'track':
      return parseName(raw.event, 'event');
    case 'page':
    case 'screen':
      // A page without a name is valid: SDKs send null or omit it.
      return raw.name === undefined || raw.name === null || raw.name === '' ? '' : parseName(raw.name, 'name');
    case 'identify':
    case 'group':
    case 'alias':
      return '';
  }
}

function parseCallProperties(raw: JsonObject, type: CallType): JsonObject | Rejection {
  switch (type) {
    case 'track':
    case 'page':
    case 'screen':
      return parseProperties(raw.properties, 'properties');
    case 'identify':
      return parseProperties(raw.traits, 'traits');
    case 'group': {
      const groupId = parseId(raw.groupId, 'groupId');
      if (groupId instanceof Rejection) return groupId;
      if (groupId === undefined) return new Rejection('missing_id', 'group needs a groupId').on('groupId');
      const traits = parseProperties(raw.traits, 'traits');
      return traits instanceof Rejection ? traits : { ...traits, groupId };
    }
    case 'alias':
      return {};
  }
}
