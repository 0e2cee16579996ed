import { describe, expect, it } from '@jest/globals';
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
  stage: { stage: 'engaged', sinceMs: 1_690_000_000_000, number: 3 },
  nextCheckAtMs: 1_700_500_000_000,
  scores: { purchase: Math.fround(0.3), churn: Math.fround(0.7), expectedSpend: Math.fround(12.3) },
};
const bare: ScoringState = {
  ...full,
  subject: Buffer.alloc(0),
  timeZone: '',
  stage: undefined,
  nextCheckAtMs: undefined,
  scores: undefined,
};

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
    expect(scoringStateCodec.encode(full).length).toBeLessThan(150);
  });

  it('wakes at the next check', () => {
    expect(scoringStateCodec.timerAtMs(full)).toBe(full.nextCheckAtMs);
    expect(scoringStateCodec.timerAtMs(bare)).toBeUndefined();
  });

  it.each<[string, (bytes: Buffer) => Buffer]>([
    ['another feature spec', (bytes) => Buffer.concat([bytes.subarray(0, 1), Buffer.alloc(4), bytes.subarray(5)])],
    ['bytes cut short', (bytes) => bytes.subarray(0, -3)],
    ['bytes left over', (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
  ])('refuses %s', (_, damage) => {
    expect(() => scoringStateCodec.decode(damage(scoringStateCodec.encode(full)))).toThrow('cannot be read');
  });
});
