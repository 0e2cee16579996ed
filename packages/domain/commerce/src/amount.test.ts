import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AMOUNT_MAX, parseAmount } from './amount.js';

describe('an amount', () => {
  it.each([
    [12.5, 12.5],
    ['12.50', 12.5],
    [' +12 ', 12],
    ['-3.5', -3.5],
    ['.5', 0.5],
    ['5.', 5],
    ['1e3', 1000],
    ['1,234.50', 1234.5],
    ['1.234,50', 1234.5],
    ['1 234,50', 1234.5],
    ['1\u00a0234.50', 1234.5],
    ["1'234.50", 1234.5],
    ['1,234,567', 1_234_567],
    ['1.234.567', 1_234_567],
    ['12,50', 12.5],
    ['-0,5', -0.5],
  ])('%j is %d', (value, amount) => {
    expect(parseAmount(value)).toEqual({ kind: 'amount', amount });
  });

  it.each([undefined, null, '', '  '])('%j is none', (value) => {
    expect(parseAmount(value)).toEqual({ kind: 'none' });
  });

  // Each could be read in two ways, or says more than a number.
  it.each([
    '1,234',
    '1.2.3',
    '1,23,456',
    '12 34',
    '1,234.5.6',
    '€12,50',
    '12.50 EUR',
    '$5',
    '0x10',
    'NaN',
    'twelve',
    '(5)',
    '1,2,3',
    true,
    {},
    [1],
    Number.NaN,
    1n,
  ])('%p is invalid', (value) => {
    expect(parseAmount(value)).toEqual({ kind: 'invalid' });
  });

  it.each([1e10, -1e10, '1e308', Number.POSITIVE_INFINITY, '2,000,000,000.00'])('%p is out of range', (value) => {
    expect(parseAmount(value)).toEqual({ kind: 'out_of_range' });
  });

  it('is the same in every unambiguous notation of it', () => {
    const amounts = fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }).map((cents) => cents / 100);
    fc.assert(
      fc.property(amounts, fc.constantFrom('en-US', 'de-DE', 'de-CH', 'fr-FR'), (amount, locale) => {
        const text = amount.toLocaleString(locale, { minimumFractionDigits: 2 }).replace('\u2212', '-');
        expect(parseAmount(text)).toEqual({ kind: 'amount', amount });
        expect(parseAmount(String(amount))).toEqual({ kind: 'amount', amount });
      }),
      { seed: 15, numRuns: 1000 },
    );
  });

  it('is within its limit or not an amount, whatever comes', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const reading = parseAmount(value);
        if (reading.kind === 'amount') expect(Math.abs(reading.amount)).toBeLessThanOrEqual(AMOUNT_MAX);
      }),
      { seed: 15, numRuns: 1000 },
    );
  });
});
