import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord, encodeMessage, FeatureRecord, ScoreRecord } from '@perennial/contracts';
import { stateSeam } from '@perennial/contracts/internals';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { createStoredStates, LONE_ROOT } from '@perennial/identity';
import { toPresentRecord, toPresentState, toStateWrapper, withAddedField } from './releases.js';

const CODING = {
  encode: (state: number) => Buffer.of(1, state),
  decode(bytes: Buffer) {
    if (bytes[0] !== 1 || bytes.length !== 2) throw new Error('of another version');
    return bytes[1] ?? 0;
  },
};

describe('a state of the release after the next', () => {
  const next = toStateWrapper('writes', () => undefined)(CODING);
  const between = toStateWrapper('reads', () => undefined)(CODING);

  it('cannot be read by the present release, and by the next one, which writes as the present one does', () => {
    const bytes = next.encode(5);
    expect(() => CODING.decode(bytes)).toThrow('of another version');
    expect([next.decode(bytes), between.decode(bytes)]).toEqual([5, 5]);
    expect(between.encode(5)).toEqual(CODING.encode(5));
  });

  it('is compared as the present one writes it, which stays as it is', () => {
    const bytes = Buffer.of(1, 9, 8);
    expect(toPresentState(bytes)).toEqual(bytes);
    expect(toPresentState(next.encode(5))).toEqual(CODING.encode(5));
  });

  it('is reported when it is written', () => {
    let written = 0;
    const coding = toStateWrapper('writes', () => written++)(CODING);
    coding.encode(5);
    coding.decode(coding.encode(6));
    expect(written).toBe(2);
  });
});

describe('states of this process, which is of the release after the next', () => {
  let written = 0;
  // Before any format is made.
  stateSeam.install(toStateWrapper('writes', () => written++));
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const { initial } = specs;
  const stored = createStoredStates({ encode: initial.encode, decode: (bytes) => specs.decode(bytes) });
  const { state: profile } = initial.apply(undefined, {
    messageId: 'm',
    type: 'track',
    name: 'Order Completed',
    timestampMs: 86_400_000,
    properties: {},
  });
  const node = { ...LONE_ROOT, members: [{ key: 'other', isJoined: true, atMs: 5 }] };

  it('are marked once, whatever they are made of, so that both runs are compared without marks', () => {
    written = 0;
    const bytes = stored.encode({ node, profile });
    expect(written).toBe(1);
    const present = toPresentState(bytes);
    expect(present[0]).toBe(16);
    // The end of the profile, which ends it, is that of the present release.
    const inner = toPresentState(initial.encode(profile));
    expect(present.subarray(-inner.length)).toEqual(inner);
    expect(stored.decode(bytes)).toEqual({ node, profile });
  });

  it('are read under the spec that made them, though their first byte is no version of today', () => {
    const bytes = initial.encode(profile);
    expect(bytes[0]).toBeGreaterThan(0x7f);
    expect(specs.decode(bytes)).toEqual(profile);
  });

  it('are compared without the mark within a record that hands a profile over', () => {
    const toHandOver = (state: Buffer) => ({ self: undefined, from: 'a', members: [], state });
    const toAccepted = (state: Buffer) =>
      encodeMessage(AcceptedRecord, { record: { $case: 'handOver', value: toHandOver(state) } });
    const toScore = (state: Buffer) =>
      encodeMessage(ScoreRecord, { record: { $case: 'handOver', value: toHandOver(state) } });
    const next = stored.encode(profile);
    const present = toPresentState(next);
    expect(toPresentRecord('eventAccepted', toAccepted(next))).toEqual(toAccepted(present));
    expect(toPresentRecord('scoreComputed', toScore(next))).toEqual(toScore(present));
    expect(toPresentRecord('scoreComputed', toScore(Buffer.alloc(0)))).toEqual(toScore(Buffer.alloc(0)));
  });
});

describe('a record of the release after the next', () => {
  it('has a field that the present one reads over', () => {
    const value = Buffer.from(FeatureRecord.encode({ record: undefined }).finish());
    const outputs = [
      { topic: 'chaos.lifecycle.feature.updated.v1', value },
      { topic: 'chaos.lifecycle.stage.changed.v1', value },
    ];
    const definition = withAddedField({
      name: 'p',
      inputTopic: 't',
      sources: [],
      codec: { encode: () => value, decode: () => 0, timerAtMs: () => undefined },
      decode: () => ({ kind: 'record', key: 'k', input: 0 }),
      forward: () => undefined,
      step: () => ({ state: 0, outputs }),
    });
    const context = { key: 'k', partition: 0, offset: 0, ordinal: 0, logTimeMs: 0, inForce: new Map() };
    const step = definition.step({ state: 0, cause: { kind: 'record', input: 0 }, context }, undefined);
    expect(step.outputs.map((output) => output.value.length - value.length)).toEqual([6, 0]);
    expect(FeatureRecord.decode(step.outputs[0]?.value ?? Buffer.alloc(0))).toEqual(FeatureRecord.decode(value));
  });
});
