import { describe, expect, it } from '@jest/globals';
import { parseTimestamp } from './timestamp.js';

describe('parseTimestamp', () => {
  it.each([
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2024-02-29 12:30:15Z', Date.UTC(2024, 1, 29, 12, 30, 15)],
    ['2024-03-01 10:00:00+00', Date.UTC(2024, 2, 1, 10)],
    ['2024-03-01 10:00:00 UTC', Date.UTC(2024, 2, 1, 10)],
    ['2024-03-01 10:00:00 -0500', Date.UTC(2024, 2, 1, 15)],
    ['2020-07-02 09:33 -03:00', Date.UTC(2020, 6, 2, 12, 33)],
    ['1709287200', Date.UTC(2024, 2, 1, 10)],
  ])('reads %s', (text, expected) => expect(parseTimestamp(text)).toBe(expected));

  it.each([
    ['', /is empty/],
    ['yesterday', /known form/],
    ['2024-02-30', /day that does not exist/],
    ['2024-01-01T24:00:00Z', /time of day that does not exist/],
    ['01/02/2024', /ambiguous/],
    ['2024-01-01T10:00:00', /no time zone/],
  ])('calls %j invalid, saying why', (text, problem) => expect(parseTimestamp(text)).toMatch(problem));

  it('reads what is declared', () => {
    expect(parseTimestamp('12/1/2010 8:26', { zone: 'UTC', dateOrder: 'mdy' })).toBe(Date.UTC(2010, 11, 1, 8, 26));
  });
});
