import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import type { AcceptedEvent } from '@perennial/contracts';
import { compileFeatures, DAY_MS, ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import { describeAbout, NOTHING_KNOWN } from '@perennial/traits';
import { NOON, toEvent, toUser } from '../identity/join-test-kit.js';
import { readAttributes } from './attributes.js';
import { foldEvent, foldTime } from './fold.js';
import { createProfileStates, type ProfileState } from './profile-state.js';

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const CONTEXT = { spec: specs.initial, specs, rates: INITIAL_RATES, logTimeMs: 0 };

/** Declares traits of each kind, two of them as what they are not, and one that nobody has said. */
const DECLARED = compileFeatures(ECOMMERCE_FEATURES, {
  attributes: (
    [
      ['plan', 'text'],
      ['seats', 'number'],
      ['since', 'time'],
      ['tier', 'text'],
      ['vip', 'boolean'],
    ] as const
  ).map(([trait, kind]) => ({ name: `traits.${trait}`, source: 'trait' as const, of: trait, kind })),
});

function fold(events: ReadonlyArray<Partial<AcceptedEvent>>): ProfileState {
  const state = events.reduce<ProfileState | undefined>((known, fields) => {
    const folded = foldEvent(known, { event: toEvent(toUser('anna'), fields), properties: {} }, CONTEXT);
    return folded.kind === 'applied' ? folded.state : known;
  }, undefined);
  return must(state, 'a state');
}

const text = (name: string, value: string) => ({ name, value: { $case: 'text' as const, value } });
const identify = { type: 'identify', name: '' };
const EVENTS: ReadonlyArray<Partial<AcceptedEvent>> = [
  {
    messageId: 'a',
    timestampMs: NOON - 3_000,
    ...identify,
    traits: { own: [text('plan', 'free')], accountId: '', account: [] },
  },
  {
    messageId: 'b',
    timestampMs: NOON - 2_000,
    ...identify,
    traits: {
      own: [
        text('plan', 'pro'),
        { name: 'seats', value: { $case: 'number', value: 3 } },
        { name: 'vip', value: { $case: 'flag', value: true } },
        { name: 'since', value: { $case: 'timeMs', value: 0 } },
      ],
      accountId: '',
      account: [],
    },
  },
  {
    messageId: 'c',
    timestampMs: NOON - 1_000,
    type: 'group',
    name: '',
    traits: { own: [], accountId: 'acme', account: [] },
  },
  {
    messageId: 'd',
    timestampMs: NOON,
    ...identify,
    traits: { own: [{ name: 'vip', value: undefined }], accountId: '', account: [] },
  },
];

describe('what is known about a profile', () => {
  it('is folded with the events, and read again from the state', () => {
    const states = createProfileStates(specs);
    const { about } = states.decode(states.encode(fold(EVENTS)));
    const { traits, account, events } = describeAbout(about ?? NOTHING_KNOWN);
    expect(traits.map(({ name, type, value }) => [name, type, value])).toEqual([
      ['plan', 'text', 'pro'],
      ['seats', 'number', 3],
      ['since', 'time', '1970-01-01T00:00:00.000Z'],
    ]);
    expect(account?.id).toBe('acme');
    expect(events.map(({ type }) => type)).toEqual(['identify', 'group', 'identify', 'identify']);
  });

  it('depends neither on the order of arrival nor on repeats', () => {
    const { about } = fold(EVENTS);
    expect(fold([...EVENTS].reverse()).about).toEqual(about);
    expect(fold([...EVENTS, ...EVENTS]).about).toEqual(about);
  });

  it('travels with each update as far as the spec declares it, and not at all where it declares nothing', () => {
    const { about } = fold(EVENTS);
    expect(readAttributes(DECLARED, { about })).toEqual(['pro', 3, 0, null, null]);
    expect(readAttributes(DECLARED, fold(EVENTS.slice(0, 2)))).toEqual(['pro', 3, 0, null, true]);
    const others = {
      attributes: [{ name: 'traits.plan', source: 'trait' as const, of: 'plan', kind: 'number' as const }],
    };
    expect(readAttributes(others, { about })).toEqual([null]);
    expect(readAttributes(specs.initial, { about })).toEqual([]);
    const { update } = foldTime(fold(EVENTS), { ...CONTEXT, logTimeMs: NOON + DAY_MS });
    expect(update.attributes).toEqual([]);
  });

  it('stays as it is when time passes', () => {
    const state = fold(EVENTS);
    expect(foldTime(state, { ...CONTEXT, logTimeMs: NOON + 40 * DAY_MS }).state.about).toEqual(state.about);
  });
});
