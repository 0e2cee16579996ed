import { describe, expect, it } from '@jest/globals';
import { FeatureRecord } from '@perennial/contracts';
import { toPresentState, toStateWrapper, withAddedField } from './releases.js';

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
