import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { redactUrl } from './redact-url.js';

describe('redactUrl', () => {
  it.each([
    ['redis://:abc@127.0.0.1:1', 'redis://:***@127.0.0.1:1'],
    ['postgres://perennial:a%40b@127.0.0.1:1/perennial', 'postgres://perennial:***@127.0.0.1:1/perennial'],
    ['postgres://perennial@127.0.0.1/x', 'postgres://perennial@127.0.0.1/x'],
    ['redis://:pass:word@h@127.0.0.1:99999999', 'redis://***@127.0.0.1:99999999'],
    ['redis://:pass/word@127.0.0.1:1', 'redis://***@127.0.0.1:1'],
    ['127.0.0.1:9092', '127.0.0.1:9092'],
  ])('%s: %s', (url, redacted) => expect(redactUrl(url)).toBe(redacted));

  it('shows no password of any URL', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'grapheme' }), (tail) => {
        const password = encodeURIComponent(`SECRET${tail.replaceAll(/\p{Cs}/gu, '')}`);
        expect(redactUrl(`redis://:${password}@127.0.0.1:6379/0`)).toBe('redis://:***@127.0.0.1:6379/0');
      }),
    );
  });
});
