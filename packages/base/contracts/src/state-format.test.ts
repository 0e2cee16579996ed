import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeStateFormat } from '../testing/contract-suite.js';
import { defineState } from './state-format.js';

interface Counter {
  readonly count: number;
  readonly highest: number;
}

/** Version 1 did not keep the highest. */
const encodeFirst = ({ count }: Counter): Buffer => {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt8(1, 0);
  bytes.writeUInt32LE(count, 1);
  return bytes;
};

const format = {
  name: 'counter state',
  current: 2,
  versions: {
    1: (bytes: Buffer): Counter => ({ count: bytes.readUInt32LE(1), highest: 0 }),
    2: (bytes: Buffer): Counter => ({ count: bytes.readUInt32LE(1), highest: bytes.readUInt32LE(5) }),
  },
  encode({ count, highest }: Counter): Buffer {
    const bytes = Buffer.alloc(9);
    bytes.writeUInt8(2, 0);
    bytes.writeUInt32LE(count, 1);
    bytes.writeUInt32LE(highest, 5);
    return bytes;
  },
  merge: (a: Counter, b: Counter): Counter => ({
    count: (a.count + b.count) >>> 0,
    highest: Math.max(a.highest, b.highest),
  }),
};

const natural = fc.nat();

describeStateFormat({
  name: 'of a test',
  format: defineState(format),
  state: fc.record({ count: natural, highest: natural }),
  earlier: [{ version: 1, encode: encodeFirst, upgrade: ({ count }) => ({ count, highest: 0 }) }],
});

describe('a state format', () => {
  const state = { count: 1, highest: 2 };

  it('names what is wrong with bytes of a version that it knows', () => {
    const bytes = defineState(format).encode(state).subarray(0, 6);
    expect(() => defineState(format).decode(bytes)).toThrow('counter state cannot be read: ');
  });

  it('names the versions that it reads', () => {
    expect(() => defineState(format).decode(Buffer.of(3))).toThrow(
      'counter state of version 3; this release reads 1, 2',
    );
  });

  it('does not write what it could not read again', () => {
    expect(() => defineState({ ...format, current: 3 })).toThrow('reads the counter state that it writes');
    expect(() => defineState({ ...format, encode: encodeFirst }).encode(state)).toThrow('begins with its version, 2');
  });
});
