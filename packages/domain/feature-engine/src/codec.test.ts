import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { apply } from './apply.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { decodeState, encodeState, STATE_FORMAT_VERSION } from './codec.js';
import { DAY_MS } from './spec.js';
import { createEmptyState, type EngineState } from './state.js';

const START_MS = Date.UTC(2024, 0, 1);

describe('state codec', () => {
  it('writes a typical profile in fewer than 400 bytes', () => {
    const bytes = encodeState(createProfile(5));
    expect(decodeState(bytes)).toEqual(createProfile(5));
    expect(bytes.length).toBeLessThan(200);
    expect(encodeState(createEmptyState()).length).toBeLessThan(20);
  });

  it('refuses another format and another spec, naming what it found', () => {
    const otherFormat = encodeState(createProfile(1));
    otherFormat[0] = STATE_FORMAT_VERSION + 1;
    expect(() => decodeState(otherFormat)).toThrow(/format 2.*upgrade/);
    otherFormat[0] = STATE_FORMAT_VERSION - 1;
    expect(() => decodeState(otherFormat)).toThrow(/format 0.*rebuild/);
    const otherSpec = encodeState(createProfile(1));
    otherSpec[3] = (otherSpec[3] as number) ^ 1;
    expect(() => decodeState(otherSpec)).toThrow(/made under spec [0-9a-f]{16}/);
  });

  it('refuses a state that is cut or has something behind it', () => {
    const bytes = encodeState(createProfile(3));
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeState(bytes.subarray(0, length))).toThrow(/damaged/);
    }
    expect(() => decodeState(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(/follows/);
  });

  it('never crashes the process on garbage', () => {
    const prefix = encodeState(createEmptyState()).subarray(0, 9);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        const bytes = Buffer.concat([prefix, garbage]);
        let state: EngineState | undefined;
        try {
          state = decodeState(bytes);
        } catch (error) {
          expect(String(error)).toMatch(/damaged/);
        }
        if (state !== undefined) expect(decodeState(encodeState(state))).toEqual(state);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps every whole number a double holds', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const writer = new ByteWriter();
        writer.signed(value);
        writer.varint(Math.abs(value));
        const reader = new ByteReader(writer.finish());
        expect([reader.signed(), reader.varint()]).toEqual([value, Math.abs(value)]);
        reader.finish();
      }),
      { examples: [[Number.MAX_SAFE_INTEGER], [Number.MIN_SAFE_INTEGER], [0], [-1], [63], [64], [-64]] },
    );
  });
});

function createProfile(orders: number): EngineState {
  let state = createEmptyState();
  for (let i = 0; i < orders; i += 1) {
    state = apply(state, {
      messageId: `message-${i}`,
      type: 'track',
      name: 'Order Completed',
      timestampMs: START_MS + i * 17.3 * DAY_MS,
      properties: {
        revenue: 20 + i,
        products: [{ product_id: `p${i}` }, { product_id: 'p' }, { product_id: `q${i}` }],
      },
    }).state;
  }
  return state;
}
