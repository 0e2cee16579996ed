import { describe, expect, it } from '@jest/globals';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { addSaid, NOTHING_KNOWN } from '@perennial/traits';
import { createProfileStates, createServedStates, type ProfileState } from './profile-state.js';

const NARROW = ECOMMERCE_FEATURES.slice(0, 4);
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const narrow = specs.add('artifact-2', NARROW);
const states = createProfileStates(specs);
const EVENT = { messageId: 'm', type: 'track', name: 'Order Completed', timestampMs: 86_400_000, properties: {} };
const { state: engine } = specs.initial.apply(undefined, EVENT);
const STATE: ProfileState = {
  engine,
  subject: Buffer.from('sealed'),
  timeZone: 'Asia/Tokyo',
  lastEventAtMs: 86_400_000,
  validUntilMs: specs.initial.vector(engine, engine.asOfMs).validUntilMs,
};

describe('the state of a profile', () => {
  it('is read back as it was, with its fill and what stands beside', () => {
    const beside = narrow.foldBeside(undefined, { before: specs.initial.empty, event: EVENT });
    const parts = [{}, { fill: '0123456789abcdef' }, { beside, fill: 'ffffffffffffffff' }, { whole: ['a', 'b'] }];
    for (const state of parts.map((part) => ({ ...STATE, ...part }))) {
      expect(states.decode(states.encode(state))).toEqual(state);
    }
  });

  it('keeps what is known about the profile', () => {
    const event = { type: 'track', name: 'Order Completed', atMs: 86_400_000 };
    const traits = [{ name: 'plan', value: { kind: 'text', text: 'pro' } as const }];
    const about = addSaid(NOTHING_KNOWN, { event, traits, accountId: 'acme' });
    const beside = narrow.foldBeside(undefined, { before: specs.initial.empty, event: EVENT });
    for (const state of [
      { ...STATE, about },
      { ...STATE, about, beside, fill: 'ffffffffffffffff' },
    ]) {
      expect(states.decode(states.encode(state))).toEqual(state);
    }
  });

  it('costs one byte more than in version 1, which is still read', () => {
    const bytes = states.encode(STATE);
    const bits = 12 + 'Asia/Tokyo'.length + 'sealed'.length;
    const first = Buffer.concat([Buffer.of(1), bytes.subarray(1, bits), bytes.subarray(bits + 1)]);
    expect(bytes[bits]).toBe(0);
    expect(states.decode(first)).toEqual(STATE);
  });

  it('is the same where it is only served, but for the time until which it is valid', () => {
    const served = createServedStates(specs).decode(states.encode(STATE));
    expect(served.validUntilMs).toBeUndefined();
    expect(specs.initial.vector(served.engine, 86_400_000)).toEqual(specs.initial.vector(engine, 86_400_000));
    expect(states.encode(served)).toEqual(states.encode(STATE));
  });

  it('is rejected with parts that this release does not know', () => {
    const bytes = states.encode(STATE);
    bytes[12 + 'Asia/Tokyo'.length + 'sealed'.length] = 128;
    expect(() => states.decode(bytes)).toThrow('profile state cannot be read: it has unknown parts (128)');
  });
});
