import { describe, expect, it } from '@jest/globals';
import { formatProblems, requireValid } from '@perennial/expressions';
import fc from 'fast-check';
import { convertAmount, INITIAL_RATES, parseRateTable } from './rate-table.js';

const FILE = { fileName: 'rates.yaml' };
const DAY_MS = 86_400_000;
const read = (content: string) => requireValid(parseRateTable(content, FILE));

const TABLE = `
version: 1
currency: EUR
rates:
  USD: 0.9
  JPY:
    - { from: 2024-01-01, rate: 0.007 }
    - { from: 2024-07-01, rate: 0.006 }
`;

describe('a rate table', () => {
  const table = read(TABLE);

  it.each([
    ['EUR', '2000-01-01', 1],
    ['', '2000-01-01', 1],
    ['USD', '1970-01-01', 0.9],
    ['JPY', '2023-12-31T23:59:59.999Z', undefined],
    ['JPY', '2024-01-01', 0.007],
    ['JPY', '2024-06-30T23:59:59.999Z', 0.007],
    ['JPY', '2024-07-01', 0.006],
    ['JPY', '2031-01-01', 0.006],
    ['CHF', '2024-01-01', undefined],
    ['XXX', '2024-01-01', undefined],
    ['__proto__', '2024-01-01', undefined],
  ])('gives %s at %s the rate %p', (currency, at, rate) => {
    expect(table.rateAt(currency, Date.parse(at))).toBe(rate);
  });

  it('is the same as JSON', () => {
    const same = read('{"version":1,"currency":"EUR","rates":{"USD":0.9,"JPY":[{"from":"2024-01-01","rate":0.007}]}}');
    expect([same.currency, same.rateAt('USD', 0), same.rateAt('JPY', Date.UTC(2025, 0))]).toEqual(['EUR', 0.9, 0.007]);
  });

  it('knows no currency but its own before any rollout', () => {
    expect([INITIAL_RATES.currency, INITIAL_RATES.rateAt('USD', 0), INITIAL_RATES.rateAt('EUR', 0)]).toEqual([
      'USD',
      1,
      undefined,
    ]);
  });

  it('reports all problems of a file at once, each with its line', () => {
    const parsed = parseRateTable(
      `version: 2
currency: eur
rates:
  euro: 1
  USD: 0
  JPY:
    - { from: 2024-02-30, rate: 1 }
    - { from: 2024-01-01, rate: -1 }
    - { from: 2023-01-01, rate: 1, till: 2 }
  CHF: []
base: x
`,
      FILE,
    );
    const problems = parsed.ok ? '' : formatProblems(parsed.problems);
    for (const line of [1, 2, 4, 5, 7, 8, 9, 10, 11]) expect(problems).toContain(`rates.yaml:${line}:`);
  });

  it.each([
    [
      'days that do not ascend',
      '  JPY: [{ from: 2024-01-02, rate: 1 }, { from: 2024-01-02, rate: 2 }]',
      'days must ascend',
    ],
    ['a day that does not exist', '  JPY: [{ from: 2024-02-30, rate: 1 }]', 'there is no day 2024-02-30'],
    ['a rate of its own currency', '  EUR: 1', "EUR is the table's own currency"],
  ])('has no %s', (_, rates, message) => {
    const parsed = parseRateTable(`version: 1\ncurrency: EUR\nrates:\n${rates}\n`, FILE);
    expect(parsed.ok ? '' : formatProblems(parsed.problems)).toContain(message);
  });

  it('finds the rate of a time as a scan from the end does', () => {
    const lists = fc.uniqueArray(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(lists, fc.integer({ min: -10, max: 20_010 }), (days, day) => {
        const ascending = [...days].sort((a, b) => a - b);
        const dated = ascending.map((at, i) => ({
          from: new Date(at * DAY_MS).toISOString().slice(0, 10),
          rate: i + 1,
        }));
        const found = read(JSON.stringify({ version: 1, currency: 'EUR', rates: { JPY: dated } }));
        const expected = ascending.findLastIndex((at) => at <= day) + 1;
        expect(found.rateAt('JPY', day * DAY_MS)).toBe(expected === 0 ? undefined : expected);
      }),
      { seed: 15 },
    );
  });
});

describe('a converted amount', () => {
  it('is exact to 1e-4, whatever the sign', () => {
    const cents = fc.integer({ min: -1e9, max: 1e9 });
    fc.assert(
      fc.property(cents, fc.integer({ min: 1, max: 1e6 }), (amount, rate) => {
        // Whole cents times whole hundredths are whole units of 1e-4: no rounding is left to define.
        expect(convertAmount(amount / 100, rate / 100)).toBe(expectedOf(amount * rate));
      }),
      { seed: 15 },
    );
  });

  it('is unknown without a rate and beyond the limit, and itself at a rate of 1', () => {
    expect(convertAmount(5, undefined)).toBeUndefined();
    expect(convertAmount(1e9, 2)).toBeUndefined();
    expect(convertAmount(0.123456789, 1)).toBe(0.123456789);
  });
});

function expectedOf(units: number): number | undefined {
  return Math.abs(units) > 1e13 ? undefined : units / 1e4;
}
