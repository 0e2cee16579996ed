import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toTextBytes } from './text-bytes.js';

describe('toTextBytes', () => {
  it('counts as Buffer does', () => {
    const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 80 }));
    fc.assert(fc.property(text, (given) => expect(toTextBytes(given)).toBe(Buffer.byteLength(given))));
  });

  it('counts a lone surrogate as the three bytes that replace it', () => {
    expect(toTextBytes('\ud800')).toBe(3);
  });
});
