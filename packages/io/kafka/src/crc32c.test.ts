import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from './crc32c.js';

const require = createRequire(__filename);
const original = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;

describe('crc32c', () => {
  it('has the check value of the polynomial', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });

  it("is kafkajs's, for any number of bytes at any place of a buffer", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat({ max: 20 }), (array, from) => {
        const bytes = Buffer.from(array).subarray(from);
        expect(crc32c(bytes)).toBe(original(bytes));
      }),
      { numRuns: 500, seed: 16 },
    );
  });
});
