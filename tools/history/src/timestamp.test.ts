import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTimestamp } from './timestamp.js';

describe('parseTimestamp', () => {
  it.each([
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2024-02-29T12:30Z', Date.UTC(2024, 1, 29, 12, 30)],
    ['2024-02-29 12:30:15Z', Date.UTC(2024, 1, 29, 12, 30, 15)],
    ['2024-02-29T12:30:15.1239+02:00', Date.UTC(2024, 1, 29, 10, 30, 15, 123)],
    ['2024-02-29T12:30:15-0530', Date.UTC(2024, 1, 29, 18, 0, 15)],
  ])('reads %s', (text, expected) => expect(parseTimestamp(text)).toBe(expected));

  it.each([
    '',
    'yesterday',
    '2024-02-30',
    '2023-02-29',
    '2024-13-01',
    '2024-01-01T24:00:00Z',
    '01/02/2024',
    '1700000000',
    '2024-1-1',
    '2024-01-01T10:00:60Z',
    '2024-01-01Z',
  ])('refuses %j', (text) => expect(parseTimestamp(text)).toBe('is not an ISO 8601 time'));

  it('refuses a local time, saying why', () => {
    expect(parseTimestamp('2024-01-01T10:00:00')).toMatch(/no time zone/);
  });

  it('reads back every instant that it is given', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
        expect(parseTimestamp(new Date(ms).toISOString())).toBe(ms);
      }),
    );
  });
});
