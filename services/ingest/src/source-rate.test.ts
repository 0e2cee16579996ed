import { describe, expect, it } from '@jest/globals';
import { MIGRATIONS } from './adapters/migrations.js';
import { formatSourceRate, parseSourceRate, SOURCE_RATE_DEFAULT, toFirstRate } from './source-rate.js';

describe('the rate of a source', () => {
  it.each([
    ['1', 1],
    ['1000000', 1_000_000],
    ['unlimited', null],
  ])('%j is %j', (text, rate) => expect(parseSourceRate(text)).toBe(rate));

  it('of a new source is the default without the option, and none when it is unlimited', () => {
    expect([undefined, 'unlimited', '5'].map(toFirstRate)).toEqual([1_000, null, 5]);
  });

  it.each(['', '0', '-1', '1.5', '1e3', '1000001', 'none', ' 5'])('%j is none, and the error says why', (text) => {
    expect(() => parseSourceRate(text)).toThrow(`1 to 1000000, or unlimited, not ${JSON.stringify(text)}`);
  });

  it('is said for every source', () => {
    expect([250, null].map(formatSourceRate)).toEqual(['250/s', 'unlimited']);
  });

  it('is the same for sources from before there was a default', () => {
    const sql = MIGRATIONS.find(({ name }) => name === '005-source-rates')?.sql;
    expect(sql).toContain(`events_per_second_max = ${SOURCE_RATE_DEFAULT} WHERE events_per_second_max IS NULL`);
  });
});
