import { describe, expect, it } from '@jest/globals';
import { encodeMessage, encodePosition, FeatureRecord, HEADERS } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import type { People, Person } from '@perennial/simulation';
import { findMisjoins, type Seen } from './person-checks.js';

const SPEC = new FeatureSpecs(ECOMMERCE_FEATURES).initial;

const ANN: Person = {
  root: 'ann',
  keys: ['ann', 'phone'],
  activeKeys: new Set(['ann', 'phone']),
  messageIds: new Set(['1', '2', '3']),
  orders: 2,
  revenueCents: 2_550,
};
const PEOPLE: People = {
  people: [ANN],
  personOf: new Map(ANN.keys.map((key) => [key, ANN])),
  problems: [],
  figures: {
    total: 1,
    people: 1,
    ids: 2,
    joins: 1,
    links: 0,
    handOvers: 1,
    forwardedEvents: 0,
    unmerges: 0,
    parted: 0,
    retracted: 0,
  },
};

let offset = 0;

function toRecord(key: string, record: FeatureRecord['record'], at = offset++) {
  const position = encodePosition({ source: 'feature-store/0', offset: at, ordinal: 0 });
  return {
    key: Buffer.from(key),
    value: encodeMessage(FeatureRecord, { record }),
    headers: { [HEADERS.position]: position },
  };
}

function served(key: string, [events, orders, revenue]: readonly [number, number, number], at?: number) {
  const given: Record<string, number> = {
    events_count_all: events,
    orders_count_all: orders,
    orders_revenue_sum_all: revenue,
  };
  const values = SPEC.names.map((name) => given[name] ?? 0);
  const value = {
    specHash: SPEC.specHash,
    values,
    asOfMs: 0,
    lastEventAtMs: 0,
    subject: Buffer.alloc(0),
    timeZone: '',
    event: undefined,
    attributes: [],
  };
  return toRecord(key, { $case: 'updated', value }, at);
}

const joined = (key: string) => toRecord(key, { $case: 'joined', value: { to: undefined } });

function toEdge(id: string, value: object) {
  return { key: null, value: Buffer.from(JSON.stringify(value)), headers: { ce_id: id } };
}

const segment = (id: string, profileKey: string, change: string) => toEdge(id, { profileKey, segment: 'big', change });
const action = (id: string, profileKey: string, cause: { kind: string; id: string }) =>
  toEdge(id, { actionId: id, profileKey, strategy: 'invite', cause });

const ALL_RIGHT: Seen = {
  featureUpdated: [served('phone', [1, 1, 10]), joined('phone'), served('ann', [3, 2, 25.5])],
  actionDecided: [],
  segmentChanged: [],
  staged: new Set(['ann']),
};
const check = (seen: Partial<Seen>) => findMisjoins(PEOPLE, { ...ALL_RIGHT, ...seen });

describe('one profile for one person', () => {
  it('is seen when its root has all events, and the others have joined', () => expect(check({})).toEqual([]));

  it('needs no profile for an id that was only named, and parted from who named it', () => {
    const tablet: Person = {
      ...ANN,
      root: 'tablet',
      keys: ['tablet'],
      messageIds: new Set(),
      orders: 0,
      revenueCents: 0,
    };
    const people = { ...PEOPLE, people: [ANN, tablet] };
    expect(findMisjoins(people, ALL_RIGHT)).toEqual([]);
    const featureUpdated = [...ALL_RIGHT.featureUpdated, served('tablet', [1, 0, 0])];
    expect(findMisjoins(people, { ...ALL_RIGHT, featureUpdated })[0]).toContain('tablet of 1 ids counts {"events":1');
  });

  it('takes the newest vector, whatever was published again or by others', () => {
    const { featureUpdated } = ALL_RIGHT;
    const garbage = {
      key: Buffer.from('ann'),
      value: Buffer.from('forged'),
      headers: { [HEADERS.position]: 'feature-store/0:99999:0' },
    };
    expect(check({ featureUpdated: [garbage, ...featureUpdated, served('ann', [9, 9, 9], 0)] })).toEqual([]);
  });

  it.each<[string, Partial<Seen>, string]>([
    [
      'events that are missing',
      { featureUpdated: [served('ann', [2, 2, 25.5])] },
      'ann of 2 ids counts {"events":2,"orders":2,"cents":2550}, not {"events":3,"orders":2,"cents":2550}',
    ],
    [
      'a device that goes on',
      { featureUpdated: [...ALL_RIGHT.featureUpdated, served('phone', [2, 1, 10])] },
      'phone was served after it joined ann',
    ],
    ['no features', { featureUpdated: [] }, 'no features of ann were served'],
    ['a second stage', { staged: new Set(['ann', 'phone']) }, 'phone has a stage beside ann, which it joined'],
    ['no stage', { staged: new Set() }, 'ann has no stage'],
    [
      'two actions for one event',
      {
        actionDecided: [
          action('1', 'phone', { kind: 'score', id: '5/m1' }),
          action('2', 'ann', { kind: 'score', id: '9/m1' }),
        ],
      },
      'two actions for one cause: ann invite score m1',
    ],
    [
      'two actions for one transition',
      {
        actionDecided: [
          action('1', 'ann', { kind: 'transition', id: '1' }),
          action('2', 'ann', { kind: 'transition', id: '1' }),
        ],
      },
      'two actions for one cause: ann invite transition 1',
    ],
    [
      'a segment that is entered twice',
      {
        segmentChanged: [segment('1', 'ann', 'entered'), segment('2', 'ann', 'entered')],
      },
      'ann entered big twice in a row',
    ],
    [
      'a member that has joined another',
      { segmentChanged: [segment('1', 'phone', 'entered')] },
      'phone big: it is a member, and has joined ann',
    ],
  ])('is not: %s', (_, seen, problem) => expect(check(seen)).toEqual([problem]));

  it('takes records of the edges once, by their ids, and causes of stages for those of each profile', () => {
    const again = action('1', 'ann', { kind: 'transition', id: '1' });
    const ofPhone = action('2', 'phone', { kind: 'transition', id: '1' });
    expect(check({ actionDecided: [again, again, ofPhone] })).toEqual([]);
  });
});
