import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from './bytes.js';
import { readSpecPrefix } from './codec.js';
import { compileFeatures } from './compile.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import type { EngineState } from './state.js';
import { DAY_MS } from './time.js';

const { apply, decode, decodeToRead, empty, encode } = compileFeatures(ECOMMERCE_FEATURES);
const START_MS = Date.UTC(2024, 0, 1);

describe('state codec', () => {
  it('writes a typical profile in fewer than 400 bytes', () => {
    const bytes = encode(createProfile(5));
    expect(decode(bytes)).toEqual(createProfile(5));
    expect(bytes.length).toBeLessThan(200);
    expect(encode(empty).length).toBeLessThan(24);
  });

  it('rejects another format and another spec, naming what it found', () => {
    const otherFormat = encode(createProfile(1));
    otherFormat[0] = 5;
    expect(() => decode(otherFormat)).toThrow('feature state of version 5; this release reads 2, 3, 4');
    otherFormat[0] = 1;
    expect(() => decode(otherFormat)).toThrow('feature state of version 1; this release reads 2, 3');
    const otherSpec = encode(createProfile(1));
    otherSpec[3] = (otherSpec[3] as number) ^ 1;
    expect(() => decode(otherSpec)).toThrow(/made under spec [0-9a-f]{16}/);
  });

  it('tells the spec of a state of any version, one with the highest bit too', () => {
    const bytes = encode(createProfile(1));
    const prefix = readSpecPrefix(bytes);
    bytes[0] = 0x84;
    expect(readSpecPrefix(bytes)).toBe(prefix);
  });

  it('reads a state of the release before, which knew no orders', () => {
    const state = createProfile(5);
    const bytes = encode(state);
    // Version 3 adds the number of orders and of those forgotten, both zero here, at the end.
    expect([...bytes.subarray(-2)]).toEqual([0, 0]);
    const before = Buffer.from(bytes.subarray(0, -2));
    before[0] = 2;
    expect(decode(before)).toEqual(state);
  });

  it('rejects a state that is cut or has something behind it', () => {
    const bytes = encode(createProfile(3));
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => decode(bytes.subarray(0, length))).toThrow('cannot be read');
    }
    expect(() => decode(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(/follows/);
    // What no vector needs is decoded, and found damaged, when it is used.
    const views = Array.from({ length: 300 }, (_, i) => ({
      messageId: `v${i}`,
      type: 'page',
      name: 'Home',
      timestampMs: 1e12,
      properties: {},
    }));
    const large = encode(views.reduce((state, view) => apply(state, view).state, empty));
    const ids = decodeToRead(large.subarray(0, large.length - 1));
    expect(() => ids.messages).toThrow('they end early');
    expect(() => decodeToRead(bytes.subarray(0, bytes.length - 1))).toThrow('cannot be read');
  });

  it('never crashes the process on garbage', () => {
    const prefix = encode(empty).subarray(0, 9);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (garbage) => {
        const bytes = Buffer.concat([prefix, garbage]);
        let state: EngineState | undefined;
        try {
          state = decode(bytes);
        } catch (error) {
          expect(String(error)).toMatch(/cannot be read/);
        }
        if (state !== undefined) expect(decode(encode(state))).toEqual(state);
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
  let state = empty;
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
