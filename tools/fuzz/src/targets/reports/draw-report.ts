import type { Draw } from '../../draw.js';

export const RECEIVED_AT_MS = Date.UTC(2026, 4, 17, 12);
const USERS = ['u1', 'u2'] as const;
/** The kinds that the documentation lists. */
const OUTCOMES = [
  ...['handed_over', 'assigned', 'confirmed', 'skipped', 'delivered', 'opened', 'clicked', 'converted'],
  ...['bounced', 'complained', 'unsubscribed', 'unsubscribed', 'expired', 'cancelled'],
];
const LONG = 'x'.repeat(300);
const WORDS_THAT_ARE_NONE = [LONG, {}, [], true, '  ', 'a\u0000b', 1.5] as const;

type ReportType = 'outcome' | 'contact' | 'consent';
export type Person = { readonly userId: string } | { readonly anonymousId: string };

/** What is said of a channel (`*` for all) and a topic ('' for all), or of the use of data. */
type Said =
  | { readonly channel: string; readonly topic: string; readonly state: string }
  | { readonly purpose: string; readonly granted: boolean };

/** What must come of a report, known from the way it was drawn. */
export type Expected =
  | { readonly kind: 'rejected'; readonly reason: string }
  | {
      readonly kind: 'accepted';
      readonly person: Person;
      /** Reports of a person that have it alike are one. */
      readonly identity: string;
      readonly atMs: number;
      readonly outcome?: { readonly actionId: string; readonly kind: string };
      readonly contact?: { readonly channel: string };
      readonly said: readonly Said[];
    };

export interface DrawnReport {
  readonly type: ReportType;
  readonly body: Record<string, unknown>;
  readonly expected: Expected;
}

/** Fields, and the reason for which the report is rejected, if it is. */
interface Part<More> {
  readonly fields: Record<string, unknown>;
  readonly reason?: string;
  readonly more: More;
}

type Content = Pick<Extract<Expected, { kind: 'accepted' }>, 'outcome' | 'contact' | 'said'> & {
  /** What two reports of the same have alike, besides their time. */
  readonly same: unknown;
};

/** Draws a report of one of few people, with few message ids, actions and times, so that repeats are frequent. */
export function drawReport(draw: Draw, toProfileKey: (person: Person) => string): DrawnReport {
  const type = draw.pick(['outcome', 'outcome', 'contact', 'consent'] as const);
  const who = drawWho(draw, toProfileKey);
  const message = drawMessageId(draw);
  const time = drawTime(draw);
  const further = drawProperties(draw);
  const content = { outcome: drawOutcome, contact: drawContact, consent: drawConsent }[type](draw);
  const parts = [who, message, time, further, content];
  const body = Object.fromEntries(draw.shuffle(parts.flatMap(({ fields }) => Object.entries(fields))));
  const reason = parts.find((part) => part.reason !== undefined)?.reason;
  if (reason !== undefined) return { type, body, expected: { kind: 'rejected', reason } };
  const { same, ...said } = content.more;
  // Without an id of its own a report is the same as one of the same contents and time; without a time only an outcome is.
  const text = JSON.stringify([type, same, body.timestamp ?? null]);
  const isLoose = body.timestamp === undefined && type !== 'outcome';
  const identity = message.more ?? (isLoose ? `no other ${draw.random()}` : text);
  return { type, body, expected: { kind: 'accepted', person: who.more, identity, atMs: time.more, ...said } };
}

function drawWho(draw: Draw, toProfileKey: (person: Person) => string): Part<Person> {
  const userId = draw.pick(USERS);
  const person = { userId };
  switch (draw.whole(0, 15)) {
    case 0:
      return { fields: {}, reason: 'missing_id', more: person };
    case 1:
      return { fields: { userId: 'undefined' }, reason: 'placeholder_id', more: person };
    case 2:
      return { fields: { userId: draw.pick([{}, [userId], LONG]) }, reason: 'invalid_id', more: person };
    case 3: {
      const profileKey = draw.pick(['short', 17, {}, `${toProfileKey(person)}=`, `${toProfileKey(person).slice(1)}!`]);
      return { fields: { profileKey, userId }, reason: 'invalid_id', more: person };
    }
    case 4:
    case 5:
    case 6:
      // The key counts before whatever else is said of the person.
      return { fields: { profileKey: toProfileKey(person), userId: draw.pick([null, 'u9', {}]) }, more: person };
    case 7:
      return { fields: { anonymousId: 'a1' }, more: { anonymousId: 'a1' } };
    case 8:
      return { fields: { userId, anonymousId: 'a1' }, more: person };
    default:
      return { fields: { userId }, more: person };
  }
}

function drawMessageId(draw: Draw): Part<string | undefined> {
  if (draw.chance(0.05)) {
    return { fields: { messageId: draw.pick([LONG, {}, true, '  ']) }, reason: 'invalid_message_id', more: undefined };
  }
  if (draw.chance(0.3)) return { fields: draw.pick([{}, { messageId: '' }, { messageId: null }]), more: undefined };
  const messageId = `m${draw.whole(0, 12)}`;
  return { fields: { messageId }, more: messageId };
}

function drawTime(draw: Draw): Part<number> {
  const bad = draw.pick(['yesterday', {}, true, '2026-02-30T00:00:00Z', '2026-05-17T25:00:00Z']);
  if (draw.chance(0.08)) return { fields: { timestamp: bad }, reason: 'invalid_timestamp', more: 0 };
  if (draw.chance(0.04)) {
    return { fields: { timestamp: '2026-05-19T12:00:00Z' }, reason: 'timestamp_too_far_in_future', more: 0 };
  }
  if (draw.chance(0.2)) return { fields: {}, more: RECEIVED_AT_MS };
  const atMs = RECEIVED_AT_MS - draw.whole(1, 20) * 60_000;
  return { fields: { timestamp: draw.chance(0.5) ? new Date(atMs).toISOString() : atMs }, more: atMs };
}

function drawProperties(draw: Draw): Part<undefined> {
  if (draw.chance(0.04)) {
    return { fields: { properties: draw.pick([[], 'x', 7]) }, reason: 'invalid_properties', more: undefined };
  }
  return { fields: draw.pick([{}, {}, { properties: { a: 1, actionId: 'other' } }]), more: undefined };
}

function drawOutcome(draw: Draw): Part<Content> {
  const actionId = draw.pick(['x1', 'x2', 42]);
  const outcome = draw.pick(OUTCOMES);
  const channel = draw.pick(['email', 'sms', undefined]);
  const topic = draw.pick(['news', undefined, undefined]);
  const wrong = draw.pick([
    { actionId: draw.pick(['', null, ...WORDS_THAT_ARE_NONE]) },
    { outcome: draw.pick(['seen', '', 'Delivered', 7, null]) },
    { channel: draw.pick(WORDS_THAT_ARE_NONE) },
    { topic: draw.pick(WORDS_THAT_ARE_NONE) },
    { value: draw.pick(['7', 1e10, true, {}]) },
  ]);
  const isUnsubscribe = outcome === 'unsubscribed';
  const said = isUnsubscribe ? [{ channel: channel ?? '*', topic: topic ?? '', state: 'withdrawn' }] : [];
  const fields = { actionId, outcome, ...(channel && { channel }), ...(topic && { topic }) };
  const more = { same: [String(actionId), outcome], outcome: { actionId: String(actionId), kind: outcome }, said };
  return draw.chance(0.15) ? { fields: { ...fields, ...wrong }, reason: 'invalid_outcome', more } : { fields, more };
}

function drawContact(draw: Draw): Part<Content> {
  const channel = draw.pick(['email', 'sms']);
  const campaign = draw.pick(['spring', undefined]);
  const more = { same: [channel, campaign], contact: { channel }, said: [] };
  const fields = { channel, ...(campaign && { campaign }) };
  if (!draw.chance(0.15)) return { fields, more };
  const wrong = draw.pick([{ channel: draw.pick([undefined, '', ...WORDS_THAT_ARE_NONE]) }, { campaign: {} }]);
  return { fields: { ...fields, ...wrong }, reason: 'invalid_contact', more };
}

function drawConsent(draw: Draw): Part<Content> {
  const permissions = draw.list(draw.whole(0, 2), () => ({
    channel: draw.pick(['email', 'sms', '*']),
    topic: draw.pick(['news', '']),
    state: draw.pick(['granted', 'withdrawn']),
  }));
  const granted = draw.chance(0.6);
  const purposes = draw.chance(0.4) ? { [draw.pick(['marketing', ' Marketing', 'ads'])]: granted } : undefined;
  const said: Said[] = [...permissions];
  for (const name of Object.keys(purposes ?? {})) said.push({ purpose: name.trim().toLowerCase(), granted });
  const more = { same: [said, permissions.length], said };
  const fields = { permissions, ...(purposes && { purposes }) };
  if (!draw.chance(0.15)) return { fields, more };
  const wrong = draw.pick([
    { permissions: draw.pick([{}, 'all', [7], [{ channel: 'email', state: 'off' }], [{ state: 'granted' }]]) },
    { permissions: draw.list(17, () => ({ channel: 'email', state: 'granted' })) },
    { permissions: undefined, purposes: draw.pick([undefined, [], 'ads', { ads: 'no' }, { ' ': true }]) },
    { source: {} },
  ]);
  return { fields: { ...fields, ...wrong }, reason: 'invalid_consent', more };
}
