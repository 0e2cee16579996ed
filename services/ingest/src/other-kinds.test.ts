import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord } from '@perennial/contracts';
import { requireIdentityRules } from '@perennial/identity';
import { must } from '@perennial/kernel';
import { requireTrackingPlan } from '@perennial/tracking-plan';
import { fromPosthog } from './domain/from-posthog.js';
import type { PlanInForce } from './domain/judge-by-plan.js';
import { normalise } from './domain/normalise.js';
import { Rejection } from './domain/rejection.js';
import { toAcceptedRecord } from './records.js';
import { RECORDS } from './testing/fakes.js';

const NOW = Date.UTC(2024, 4, 15);
const { pseudonymizer } = RECORDS;
const identity = requireIdentityRules(
  `version: 1
kinds:
  email: { strength: 200, read: [traits.email, 'context.externalIds[email]'], normalise: email }
  unionid: { strength: 210, read: [context.wechat.unionid] }
  openid: { strength: 120, read: [context.wechat.openid] }
  device: { strength: 60, read: [context.device.id] }
`,
  { fileName: 'identity.yaml' },
);

function accept(raw: unknown, rules = identity, plan?: PlanInForce) {
  const arrival = { receivedAtMs: NOW, clockMode: 'wall', identity: rules, plan, createMessageId: () => 'm' } as const;
  const event = normalise(raw, arrival);
  if (event instanceof Rejection) throw new Error(event.message);
  const value = must(toAcceptedRecord(event, 's', RECORDS).value, 'a value');
  const { record } = AcceptedRecord.decode(value);
  if (record?.$case !== 'event') throw new Error('not an event');
  return { event, value, accepted: record.value };
}

/** Kind, id and rule of what the record of an event names. */
function listNamed(raw: unknown): string[] {
  return accept(raw).accepted.namedIds.map(({ profile, alias, tie }) => {
    const { key, strength, subject } = must(profile, 'a profile');
    const id = pseudonymizer.unseal(subject);
    const kind = identity.kindOf(strength)?.name ?? '';
    const named = { user: { userId: id }, anonymous: { anonymousId: id } }[kind] ?? { kind, id };
    expect(key).toBe(pseudonymizer.toProfileKey(named));
    return `${kind} ${id}${alias ? ' alias' : ''}${tie ? ' tie' : ''}`;
  });
}

describe('ids of other kinds', () => {
  const anna = { id: 'Anna@Example.com', type: 'email', collection: 'users', encoding: 'none' };

  it.each<[string, Record<string, unknown>, string[]]>([
    [
      "Segment's identify with externalIds",
      { type: 'identify', userId: 'u', anonymousId: 'a', context: { externalIds: [anna] } },
      ['anonymous a tie', 'email anna@example.com tie'],
    ],
    [
      'traits of an identify',
      { type: 'identify', anonymousId: 'a', traits: { email: 'anna@example.com' } },
      ['email anna@example.com tie'],
    ],
    ['traits of a group', { type: 'group', userId: 'u', groupId: 'g', traits: { email: 'info@example.com' } }, []],
    [
      "a mini program's context",
      { type: 'track', event: 'Seen', anonymousId: 'a', context: { wechat: { unionid: 'U-1', openid: 'O-1' } } },
      ['unionid U-1 tie', 'openid O-1 tie'],
    ],
    [
      "a phone's device",
      { type: 'screen', userId: 'u', anonymousId: 'a', context: { device: { id: 'idfv-1' } } },
      ['anonymous a tie', 'device idfv-1 tie'],
    ],
    ['an alias', { type: 'alias', userId: 'u', previousId: 'p' }, ['anonymous p tie', 'user p alias']],
  ])('are named of %s', (_, raw, expected) => expect(listNamed(raw)).toEqual(expected));

  it('are never in clear in the record, and are counted where they are none', () => {
    const raw = {
      type: 'identify',
      userId: 'u',
      traits: { email: 'not an address' },
      context: { externalIds: [anna] },
    };
    const { event, value } = accept(raw);
    expect(value.includes('anna@example.com')).toBe(false);
    expect(event.ignored).toEqual(['other_id']);
  });

  it('are not in clear in what is kept of the event, whatever the plan says and whether they are ids or not', () => {
    const rules = requireIdentityRules(
      `version: 1
kinds:
  loyalty_card: { strength: 160, read: [traits.loyalty_card, properties.loyalty_card, context.traits.card] }
  network: { strength: 60, read: [context.network.wifi] }
`,
      { fileName: 'identity.yaml' },
    );
    const plan = requireTrackingPlan(
      `version: 1
identify: { schema: { properties: { loyalty_card: { personal: false }, card: { personal: false } } } }
`,
      { fileName: 'plan.yaml' },
    );
    const card = 'CARD-4711';
    const sent = { loyalty_card: card, plan: 'pro' };
    const context = { traits: { card }, network: { wifi: card } };
    for (const raw of [
      { type: 'track', event: 'Paid', userId: 'u', properties: sent },
      { type: 'page', userId: 'u', properties: sent },
      { type: 'identify', userId: 'u', traits: sent, context },
      { type: 'identify', userId: 'u', traits: { ...sent, loyalty_card: { number: card } } },
    ]) {
      const { event, value } = accept(raw, rules, { number: 1, plan });
      expect(value.includes(card)).toBe(false);
      expect([event.propertiesJson, event.withheld]).toEqual(['{"plan":"pro"}', 1]);
    }
  });

  it('are not in clear in the traits of a group, which name none; its own id stays', () => {
    const rules = requireIdentityRules(
      'version: 1\nkinds: { email: { strength: 200, read: [traits.email, traits.groupId] } }\n',
      { fileName: 'identity.yaml' },
    );
    const traits = { email: 'anna@example.com', seats: 3 };
    const { event, value } = accept({ type: 'group', userId: 'u', groupId: 'g', traits }, rules);
    expect(value.includes('anna@example.com')).toBe(false);
    expect([event.propertiesJson, event.withheld]).toEqual(['{"seats":3,"groupId":"g"}', 1]);
  });

  it('are not named before a rollout: the record has the same bytes as ever', () => {
    const raw = {
      type: 'identify',
      userId: 'u',
      anonymousId: 'a',
      traits: { loyalty_card: 'CARD-4711' },
      context: { externalIds: [anna] },
    };
    const initial = requireIdentityRules('version: 1\nkinds: {}\n', { fileName: 'identity.yaml' });
    const { value } = accept(raw, initial);
    const event = normalise(raw, { receivedAtMs: NOW, clockMode: 'wall', createMessageId: () => 'm' });
    if (event instanceof Rejection) throw new Error(event.message);
    expect(must(toAcceptedRecord(event, 's', RECORDS).value, 'a value').equals(value)).toBe(true);
  });
});

describe("PostHog's ids", () => {
  const visitor = { $device_id: 'uuid-1', $is_identified: false, token: 'phc' };
  const send = (event: Record<string, unknown>) => fromPosthog(event, NOW);

  it('of a visitor are those of a device, of a user those of a user', () => {
    const seen = accept(send({ event: '$pageview', distinct_id: 'uuid-1', properties: visitor })).accepted;
    expect([seen.anonymous, pseudonymizer.unseal(seen.subject)]).toEqual([true, 'uuid-1']);
    const older = { $device_id: 'uuid-1' };
    expect(accept(send({ event: 'x', distinct_id: 'uuid-1', properties: older })).accepted.anonymous).toBe(true);
    const known = { $device_id: 'uuid-1', $is_identified: true };
    for (const properties of [known, older, {}])
      expect(accept(send({ event: 'x', distinct_id: 'anna', properties })).accepted.anonymous).toBe(false);
  });

  it('of $identify join what the visitor did, whichever way it came', () => {
    const properties = { $anon_distinct_id: 'uuid-1', $device_id: 'uuid-1', $is_identified: true, $user_id: 'anna' };
    const event = send({ event: '$identify', distinct_id: 'anna', properties, $set: { plan: 'pro' } });
    expect(listNamed(event)).toEqual(['anonymous uuid-1 tie', 'user uuid-1 alias']);
    const placeholder = { ...properties, $anon_distinct_id: 'undefined' };
    expect(listNamed(send({ event: '$identify', distinct_id: 'anna', properties: placeholder }))).toEqual([]);
    expect(listNamed(send({ event: '$identify', distinct_id: 'anna', properties: { $set: {} } }))).toEqual([]);
  });

  it('of $create_alias are an alias, also where a visitor says it', () => {
    const properties = { ...visitor, alias: 'old-name', distinct_id: 'uuid-1' };
    expect(listNamed(send({ event: '$create_alias', distinct_id: 'uuid-1', properties }))).toEqual([
      'anonymous uuid-1 tie',
      'anonymous old-name tie',
      'user old-name alias',
    ]);
  });
});
