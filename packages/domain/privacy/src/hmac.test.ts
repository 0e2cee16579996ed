import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createHmacSha256 } from './hmac.js';

describe('createHmacSha256', () => {
  it('gives what createHmac gives, for keys and messages of every length and alphabet', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        fc.array(fc.string({ unit: 'binary', maxLength: 3000 }), { minLength: 1, maxLength: 4 }),
        (key, messages) => {
          const mac = createHmacSha256(key);
          for (const message of messages)
            expect(mac(message).equals(createHmac('sha256', key).update(message).digest())).toBe(true);
        },
      ),
    );
  });

  it('rejects a key that HMAC would hash first', () => {
    expect(() => createHmacSha256(new Uint8Array(65))).toThrow('65 bytes');
  });
});
