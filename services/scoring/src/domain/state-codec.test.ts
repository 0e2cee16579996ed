import { describe, expect, it } from '@jest/globals';
import { describeStateFormat } from '@perennial/contracts/contract-suite';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import fc from 'fast-check';
import type { ScoringState } from './state.js';
import { createScoringStateCodec } from './state-codec.js';

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const scoringStateCodec = createScoringStateCodec(specs);
const count = specs.initial.names.length;

const full: ScoringState = {
  asOfMs: 1_700_000_000_000,
  specHash: specs.initial.specHash,
  values: [0, 1, 2, 3, 400, 12.5, 99.99, Number.NaN, 1e12, 0.1, 30.25, Number.NaN, 7, 0, 0, 1, 2, 5],
  lastEventAtMs: 1_699_999_999_999,
  subject: Buffer.from('sealed'),
  timeZone: 'Europe/Berlin',
  attributes: ['pro', 12.5, null, true],
  tags: ['vip', 'wholesale'],
  stage: { stage: 'engaged', sinceMs: 1_690_000_000_000, number: 3 },
  nextCheckAtMs: 1_700_500_000_000,
  scores: { modelHash: '0123456789abcdef'.repeat(4), values: [0.3, 0.7, 12.3].map(Math.fround) },
  segments: {
    number: 7,
    members: [{ name: 'buyers', sinceMs: 1_699_000_000_000 }],
    waiting: [{ name: 'abandoned_basket', sinceMs: 1_699_999_999_999 }],
  },
};
const bare: ScoringState = {
  ...full,
  subject: Buffer.alloc(0),
  timeZone: '',
  stage: undefined,
  nextCheckAtMs: undefined,
  scores: undefined,
  segments: undefined,
  tags: undefined,
};

const since = fc.record({ name: fc.string({ maxLength: 12 }), sinceMs: fc.nat() });
const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const state: fc.Arbitrary<ScoringState> = fc.record({
  asOfMs: fc.nat(),
  specHash: fc.constant(specs.initial.specHash),
  values: fc.array(fc.oneof(fc.nat(), fc.constant(Number.NaN), fc.double()), { minLength: count, maxLength: count }),
  lastEventAtMs: fc.nat(),
  subject: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  timeZone: fc.string({ maxLength: 12 }),
  attributes: fc.array(fc.oneof(fc.string({ maxLength: 12 }), fc.nat(), fc.boolean(), fc.constant(null)), {
    maxLength: 4,
  }),
  stage: fc.option(fc.record({ stage: fc.string({ maxLength: 12 }), sinceMs: fc.nat(), number: fc.nat() }), {
    nil: undefined,
  }),
  nextCheckAtMs: fc.option(fc.nat(), { nil: undefined }),
  scores: fc.option(
    fc.record({
      modelHash: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
      values: fc.array(float, { maxLength: 64 }),
    }),
    { nil: undefined },
  ),
  segments: fc.option(
    fc.record({
      number: fc.nat(),
      members: fc.array(since, { maxLength: 8 }),
      waiting: fc.array(since, { maxLength: 8 }),
    }),
    { nil: undefined },
  ),
});

/** What releases before did not write. */
const LATER = { segments: undefined, attributes: [], tags: undefined };

/** As written by releases whose models had three heads: no hash and no count before the numbers. */
function encodeFirstVersion(before: ScoringState): Buffer {
  const scores = before.scores && { modelHash: '', values: [0.3, 0.7, 12] };
  const bytes = scoringStateCodec.encode({ ...before, ...LATER, scores });
  const cut = scores === undefined ? bytes.length : bytes.length - 14;
  return Buffer.concat([Buffer.of(1), bytes.subarray(1, cut), bytes.subarray(scores === undefined ? cut : cut + 2)]);
}

/** As written by releases without segments. */
function encodeSecondVersion(before: ScoringState): Buffer {
  const bytes = scoringStateCodec.encode({ ...before, ...LATER });
  return Buffer.concat([Buffer.of(2), bytes.subarray(1)]);
}

describeStateFormat({
  name: 'scoring',
  format: scoringStateCodec,
  state,
  earlier: [
    {
      version: 1,
      encode: encodeFirstVersion,
      upgrade: (before) => ({ ...before, ...LATER, scores: undefined }),
    },
    { version: 2, encode: encodeSecondVersion, upgrade: (before) => ({ ...before, ...LATER }) },
  ],
});

describe('scoringStateCodec', () => {
  it.each([
    ['a full state', full],
    ['a bare one', bare],
    ['a stage without scores', { ...bare, stage: full.stage }],
  ])('gives back %s', (_, state) => {
    expect(scoringStateCodec.decode(scoringStateCodec.encode(state))).toEqual(state);
  });

  it('keeps any number bit for bit, and the same state gives the same bytes', () => {
    const number = fc.oneof(fc.double(), fc.nat(), fc.constantFrom(-0, 2 ** 32, 2 ** 32 - 1, Number.NaN));
    fc.assert(
      fc.property(fc.array(number, { minLength: count, maxLength: count }), (values) => {
        const bytes = scoringStateCodec.encode({ ...full, values });
        const state = scoringStateCodec.decode(bytes);
        values.forEach((value, index) => {
          expect(Object.is(state.values[index], value)).toBe(true);
        });
        expect(scoringStateCodec.encode(state).equals(bytes)).toBe(true);
      }),
    );
  });

  it('is small', () => {
    const without = scoringStateCodec.encode({ ...full, ...LATER }).length;
    expect(without).toBeLessThan(180);
    // Of each segment its name, and nine bytes.
    expect(scoringStateCodec.encode({ ...full, attributes: [], tags: undefined }).length - without).toBeLessThan(50);
  });

  it('wakes at the next check', () => {
    expect(scoringStateCodec.timerAtMs(full)).toBe(full.nextCheckAtMs);
    expect(scoringStateCodec.timerAtMs(bare)).toBeUndefined();
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['another feature spec', (bytes) => Buffer.concat([bytes.subarray(0, 1), Buffer.alloc(4), bytes.subarray(5)])],
    ['bytes cut short', (bytes) => bytes.subarray(0, -3)],
    ['bytes left over', (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
  ])('rejects %s', (_, damage) => {
    expect(() => scoringStateCodec.decode(damage(scoringStateCodec.encode(full)))).toThrow('cannot be read');
  });
});
