import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { DAY_MS, ECOMMERCE_FEATURES, type FeatureDefinition, FeatureSpecs } from '@perennial/feature-engine';
import fc from 'fast-check';
import { NOON, toEvent, toUser } from '../identity/join-test-kit.js';
import { type SpecContext, toCurrent } from './fill.js';
import { foldEvent } from './fold.js';
import { mergeProfiles } from './merge.js';
import type { ProfileState } from './profile-state.js';

const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const VIEWS: FeatureDefinition = {
  name: 'views_count_30d',
  unit: 'events',
  event: { type: 'track', name: 'Product Viewed' },
  aggregation: 'count',
  windowMs: 30 * DAY_MS,
};
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const wider = specs.add('wider', [...ECOMMERCE_FEATURES, VIEWS]);

const BEFORE: SpecContext = { spec: specs.initial, specs };
const FILLING: SpecContext = { spec: wider, specs, isFilling: true };

type Numbered = { readonly id: number; readonly name: string; readonly lateMs: number };
const drawEvents = fc.array(
  fc.record({
    id: fc.nat(),
    name: fc.constantFrom('Product Viewed', 'Order Completed'),
    lateMs: fc.integer({ min: 0, max: 50 * DAY_MS }),
  }),
  { maxLength: 4 },
);
const drawProfile = fc.record({ before: drawEvents, filling: drawEvents });

function fold(state: ProfileState | undefined, events: readonly Numbered[], context: SpecContext) {
  return events.reduce<ProfileState | undefined>((known, { id, name, lateMs }) => {
    const event = toEvent(toUser('anna'), { messageId: `m${id}`, name, timestampMs: NOON - lateMs });
    const input = { event, properties: {} };
    const folded = foldEvent(known, input, { ...context, rates: INITIAL_RATES, logTimeMs: 0 });
    return folded.kind === 'applied' ? folded.state : known;
  }, state);
}

describe(`profiles that join while a wider spec is filled, from seed ${SEED}`, () => {
  it('have, once it is filled, what all their events give under that spec, and go on under the earlier one until then', () => {
    fc.assert(
      fc.property(drawProfile, drawProfile, (left, right) => {
        const number = (events: readonly Numbered[], from: number) =>
          events.map((one, i) => ({ ...one, id: from + i }));
        const parts = [left.before, left.filling, right.before, right.filling].map((one, i) => number(one, i * 100));
        const [a1 = [], a2 = [], b1 = [], b2 = []] = parts;
        const a = fold(fold(undefined, a1, BEFORE), a2, FILLING);
        const b = fold(fold(undefined, b1, BEFORE), b2, FILLING);
        if (b === undefined) return;
        const subject = Buffer.from('sealed');
        const { state } = mergeProfiles(a, b, {
          ...FILLING,
          logTimeMs: 0,
          part: undefined,
          joinedPart: undefined,
          joinedKeys: [],
          subject,
        });
        const all = [...a1, ...b1, ...a2, ...b2];
        const narrow = fold(undefined, all, BEFORE);
        expect(state.about).toEqual(narrow?.about);
        const asEarlier = specs.adopt(specs.initial, state.engine);
        const [atMs, laterMs] = [NOON + DAY_MS, NOON + 20 * DAY_MS];
        expect(specs.initial.vector(asEarlier, atMs)).toEqual(
          specs.initial.vector(narrow?.engine ?? specs.initial.empty, atMs),
        );
        const part = fold(undefined, [...a1, ...b1], { spec: wider, specs })?.engine;
        const filled = { spec: wider, specs, fill: { tag: 'ab', spec: wider } };
        const { engine } = toCurrent(state, filled, part);
        const expected = fold(undefined, all, { spec: wider, specs })?.engine ?? wider.empty;
        for (const time of [atMs, laterMs]) expect(wider.vector(engine, time)).toEqual(wider.vector(expected, time));
      }),
      { seed: SEED, numRuns: 500 },
    );
  });
});
