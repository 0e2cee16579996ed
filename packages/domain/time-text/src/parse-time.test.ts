import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTime, type TimeOptions } from './parse-time.js';
import { describeTimeProblem } from './time-problem.js';

function read(text: string | number, options?: TimeOptions): string {
  const parsed = parseTime(text, options);
  return parsed.ok ? new Date(parsed.ms).toISOString() : parsed.reason;
}

describe('parseTime reads', () => {
  it.each([
    // ISO 8601 and RFC 3339.
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['2024-02-29T12:30Z', '2024-02-29T12:30:00.000Z'],
    ['2024-02-29t12:30:15z', '2024-02-29T12:30:15.000Z'],
    ['2024-02-29T12:30:15.1239+02:00', '2024-02-29T10:30:15.123Z'],
    ['2024-02-29T12:30:15,5-0530', '2024-02-29T18:00:15.500Z'],
    ['2024-02-29T23:59:59.999999999Z', '2024-02-29T23:59:59.999Z'],
    ['20240229', '2024-02-29T00:00:00.000Z'],
    ['20240229T123015Z', '2024-02-29T12:30:15.000Z'],
    ['20240229T123015.25+0200', '2024-02-29T10:30:15.250Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    [' 2024-02-29T12:30Z\n', '2024-02-29T12:30:00.000Z'],
    // Databases and languages.
    ['2024-03-01 10:00:00+00', '2024-03-01T10:00:00.000Z'],
    ['2024-03-02 10:00:00.5+02', '2024-03-02T08:00:00.500Z'],
    ['2024-03-02 10:00:00.123456+05:30', '2024-03-02T04:30:00.123Z'],
    ['2024-03-01 10:00:00 UTC', '2024-03-01T10:00:00.000Z'],
    ['2024-03-01 10:00:00.123456 UTC', '2024-03-01T10:00:00.123Z'],
    ['2024-03-01 10:00:00 -0500', '2024-03-01T15:00:00.000Z'],
    ['2020-07-02 09:33 -03:00', '2020-07-02T12:33:00.000Z'],
    ['2024-03-01 10:00:00.0000000 +01:00', '2024-03-01T09:00:00.000Z'],
    ['2024-03-01 10:00:00 +0100 CET', '2024-03-01T09:00:00.000Z'],
    ['2024-03-01 10:00:00 +0000 UTC', '2024-03-01T10:00:00.000Z'],
    ['2024-03-01T10:00:00+01:00[Europe/Berlin]', '2024-03-01T09:00:00.000Z'],
    ['2024-07-01T10:00:00[Europe/Berlin]', '2024-07-01T08:00:00.000Z'],
    ['2024-07-01 10:00:00.000 America/New_York', '2024-07-01T14:00:00.000Z'],
    ['2024-03-01 10:00:00 GMT+0900', '2024-03-01T01:00:00.000Z'],
    ['2024-03-01 10:00:00\u22120500', '2024-03-01T15:00:00.000Z'],
    ['2024-03-01T10:00Z[UTC]', '2024-03-01T10:00:00.000Z'],
    ['2024-03-01T10:00:00.5Z[Etc/UTC]', '2024-03-01T10:00:00.500Z'],
    ['2024-03-01 9:05 +09:00', '2024-03-01T00:05:00.000Z'],
    ['2024/3/1 9:05:00 +09:00', '2024-03-01T00:05:00.000Z'],
    // Mail, HTTP, JavaScript.
    ['Fri, 01 Mar 2024 10:00:00 +0100', '2024-03-01T09:00:00.000Z'],
    ['Fri, 1 Mar 2024 10:00:00 GMT', '2024-03-01T10:00:00.000Z'],
    ['1 Mar 2024 10:00 EST', '2024-03-01T15:00:00.000Z'],
    ['Fri Mar 01 2024 10:00:00 GMT+0100 (Central European Standard Time)', '2024-03-01T09:00:00.000Z'],
    // Excel and Oracle.
    ['1-Mar-24', '2024-03-01T00:00:00.000Z'],
    ['01-MAR-2024 10:00:00.5 +01:00', '2024-03-01T09:00:00.500Z'],
    ['31-Dec-99 12:05 AM UTC', '1999-12-31T00:05:00.000Z'],
    // Epoch times.
    ['2024-07-01 10:00 Eastern Daylight Time', '2024-07-01T14:00:00.000Z'],
    ['1-Jul-24 10:00 America/New_York', '2024-07-01T14:00:00.000Z'],
    ['2024-03-01 12:05 AM UTC', '2024-03-01T00:05:00.000Z'],
    ['2024-03-01T01:05:06.5pm +01:00', '2024-03-01T12:05:06.500Z'],
    ['2024/3/1 1:05 p.m. UTC', '2024-03-01T13:05:00.000Z'],
    ['Mar 1, 2024', '2024-03-01T00:00:00.000Z'],
    ['Sept. 1, 2024', '2024-09-01T00:00:00.000Z'],
    ['March 1, 2024 10:00 AM UTC', '2024-03-01T10:00:00.000Z'],
    ['Mar 1, 2024, 10:00:00\u202fPM GMT+1', '2024-03-01T21:00:00.000Z'],
    ['July 1, 2024 at 10:00 America/New_York', '2024-07-01T14:00:00.000Z'],
    ['/Date(1709251200000)/', '2024-03-01T00:00:00.000Z'],
    ['/Date(1709251200123+0100)/', '2024-03-01T00:00:00.123Z'],
    ['1.7092872E9', '2024-03-01T10:00:00.000Z'],
    ['1.7092872001234E9', '2024-03-01T10:00:00.123Z'],
    ['1.709287200123E12', '2024-03-01T10:00:00.123Z'],
    ['1709287200', '2024-03-01T10:00:00.000Z'],
    ['1709287200.5', '2024-03-01T10:00:00.500Z'],
    ['1709287200123', '2024-03-01T10:00:00.123Z'],
    ['1709287200123456', '2024-03-01T10:00:00.123Z'],
    ['1709287200123456789', '2024-03-01T10:00:00.123Z'],
  ])('%s', (text, expected) => expect(read(text)).toBe(expected));

  it.each([
    [1_709_287_200, '2024-03-01T10:00:00.000Z'],
    [1_709_287_200.123, '2024-03-01T10:00:00.123Z'],
    [1_709_287_200_123, '2024-03-01T10:00:00.123Z'],
    [1_709_287_200_123_456, '2024-03-01T10:00:00.123Z'],
    [100_000_000, '1973-03-03T09:46:40.000Z'],
  ])('the number %d', (value, expected) => expect(read(value)).toBe(expected));

  it.each<[string, TimeOptions, string]>([
    ['2024-03-01 10:00:00', { zone: 'UTC' }, '2024-03-01T10:00:00.000Z'],
    ['2024-07-01 10:00:00', { zone: 'Europe/Berlin' }, '2024-07-01T08:00:00.000Z'],
    ['2024-07-01', { zone: 'Europe/Berlin' }, '2024-06-30T22:00:00.000Z'],
    ['2024-07-01 10:00', { zone: '+05:30' }, '2024-07-01T04:30:00.000Z'],
    ['2024-07-01 10:00Z', { zone: 'Europe/Berlin' }, '2024-07-01T10:00:00.000Z'],
    ['12/1/2010 8:26', { zone: 'UTC', dateOrder: 'mdy' }, '2010-12-01T08:26:00.000Z'],
    ['12/1/2010 8:26', { zone: 'UTC', dateOrder: 'dmy' }, '2010-01-12T08:26:00.000Z'],
    ['12/1/10 12:26 AM', { zone: 'UTC', dateOrder: 'mdy' }, '2010-12-01T00:26:00.000Z'],
    ['1.12.1999, 12:26:30 pm', { zone: 'UTC', dateOrder: 'dmy' }, '1999-12-01T12:26:30.000Z'],
    ['31-12-99', { dateOrder: 'dmy' }, '1999-12-31T00:00:00.000Z'],
    ['40513.35', { serial: '1900', zone: 'UTC' }, '2010-12-01T08:24:00.000Z'],
    ['40513', { serial: '1900', zone: 'America/New_York' }, '2010-12-01T05:00:00.000Z'],
    ['39051.35', { serial: '1904', zone: 'UTC' }, '2010-12-01T08:24:00.000Z'],
  ])('%s as declared by %j', (text, options, expected) => expect(read(text, options)).toBe(expected));

  it('a local time that comes twice as the first, and none that is skipped', () => {
    const zone = 'Europe/Berlin';
    expect(read('2024-10-27 02:30:00', { zone })).toBe('2024-10-27T00:30:00.000Z');
    expect(read('2024-10-27 03:00:00', { zone })).toBe('2024-10-27T02:00:00.000Z');
    expect(read('2024-03-31 02:30:00', { zone })).toBe('in_gap');
    expect(read('2024-03-31 03:00:00', { zone })).toBe('2024-03-31T01:00:00.000Z');
    // Samoa skipped a whole day.
    expect(read('2011-12-30 12:00:00', { zone: 'Pacific/Apia' })).toBe('in_gap');
  });
});

describe('parseTime says what is wrong', () => {
  it.each<[string, string]>([
    ['', 'empty'],
    ['  ', 'empty'],
    ['yesterday', 'unknown_form'],
    ['hello 1', 'unknown_form'],
    ['2024-1-1', 'unknown_form'],
    ['2024-01-01Z', 'unknown_form'],
    ['2024-W09-5', 'unknown_form'],
    ['2024-061', 'unknown_form'],
    ['2024-01-01T10:00:00:00Z', 'unknown_form'],
    ['2024-01-01T10:00:00.1234567891Z', 'unknown_form'],
    ['-1709287200', 'unknown_form'],
    ['1e12', 'unknown_form'],
    ['1.70929E+09', 'unknown_form'],
    ['1.7E99', 'number_out_of_range'],
    ['2024-03-01T9:05:00Z', 'unknown_form'],
    ['2024-03-01T10:00:00Z+00:00', 'invalid_zone'],
    ['30-Feb-24', 'no_such_day'],
    ['1-Foo-24', 'unknown_form'],
    ['1-Mar-24 10:00', 'no_zone'],
    ['1-Mar-24 13:00 PM UTC', 'no_such_time'],
    ['0x65e1a0a0', 'unknown_form'],
    ['Infinity', 'unknown_form'],
    ['Fri, 1 Foo 2024 10:00:00 GMT', 'unknown_form'],
    ['2024-02-30', 'no_such_day'],
    ['20240230', 'no_such_day'],
    ['2023-02-29T00:00:00Z', 'no_such_day'],
    ['1900-02-29', 'no_such_day'],
    ['2024-13-01', 'no_such_day'],
    ['2024-00-10', 'no_such_day'],
    ['2024-04-00', 'no_such_day'],
    ['31 Apr 2024 10:00:00 GMT', 'no_such_day'],
    ['2024-01-01T24:00:00Z', 'no_such_time'],
    ['2016-12-31T23:59:60Z', 'no_such_time'],
    ['2024-01-01T10:60:00Z', 'no_such_time'],
    ['Mon, 01 Mar 2024 10:00:00 GMT', 'wrong_weekday'],
    ['2024-01-01T10:00:00+15:00', 'invalid_zone'],
    ['2024-01-01T10:00:00+02:60', 'invalid_zone'],
    ['2024-01-01 10:00:00 IST', 'invalid_zone'],
    ['2024-01-01 10:00:00 AM', 'no_zone'],
    ['2024-01-01 13:00:00 PM UTC', 'no_such_time'],
    ['March 1, 2024 10:00 AM', 'no_zone'],
    ['Marc 1, 2024', 'unknown_form'],
    ['Feb 30, 2024', 'no_such_day'],
    ['/Date(1709251200)/', 'number_out_of_range'],
    ['/Date(-1)/', 'number_out_of_range'],
    ['/Date(1709251200000)', 'unknown_form'],
    ['2024-01-01T10:00:00', 'no_zone'],
    ['12/1/2010 8:26', 'ambiguous_order'],
    ['31.12.2010', 'ambiguous_order'],
    ['40513.35', 'spreadsheet_serial'],
    ['0', 'number_out_of_range'],
    ['17092872', 'number_out_of_range'],
    ['99999999999999999999', 'number_out_of_range'],
  ])('%j %s', (text, reason) => {
    expect(read(text)).toBe(reason);
    expect(describeTimeProblem(reason as never)).toMatch(/^(is|has|names|looks) /);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e300, 5e11 * -1])('%d is no time', (value) => {
    expect(parseTime(value).ok).toBe(false);
  });

  it.each<[string, TimeOptions, string]>([
    ['13/13/2010', { dateOrder: 'mdy' }, 'no_such_day'],
    ['12/13/2010', { dateOrder: 'dmy' }, 'no_such_day'],
    ['12/1/2010 8:26', { dateOrder: 'dmy' }, 'no_zone'],
    ['12/1/2010 13:26 PM', { dateOrder: 'dmy', zone: 'UTC' }, 'no_such_time'],
    ['12/1/2010 0:26 AM', { dateOrder: 'dmy', zone: 'UTC' }, 'no_such_time'],
    ['12/1-2010', { dateOrder: 'dmy' }, 'unknown_form'],
    ['40513.35', { serial: '1900' }, 'no_zone'],
    ['60', { serial: '1900', zone: 'UTC' }, 'number_out_of_range'],
    ['1709287200', { serial: '1900', zone: 'UTC' }, 'number_out_of_range'],
  ])('%s as declared by %j: %s', (text, options, reason) => expect(read(text, options)).toBe(reason));
});

const YEARS = { min: Date.UTC(1974, 0, 1), max: Date.UTC(2099, 11, 31) };
const two = (value: number) => String(value).padStart(2, '0');

/** Writers of each form that are independent of the parser: by Date and Intl. Resolution in ms. */
const WRITERS: ReadonlyArray<[string, number, (ms: number, offset: number) => string]> = [
  ['ISO', 1, (ms) => new Date(ms).toISOString()],
  ['ISO with an offset', 1, (ms, offset) => toLocal(ms, offset) + toOffset(offset, ':')],
  ['ISO basic', 1000, (ms) => new Date(ms).toISOString().replace(/\.\d+|[-:]/g, '')],
  ['PostgreSQL', 1, (ms, offset) => toLocal(ms, offset).replace('T', ' ') + toOffset(offset, ':').replace(/:00$/, '')],
  ['BigQuery', 1, (ms) => `${toLocal(ms, 0).replace('T', ' ')} UTC`],
  ['Shopify', 1000, (ms, offset) => `${toLocal(ms, offset).replace('T', ' ').slice(0, 19)} ${toOffset(offset, '')}`],
  ['minutes', 60_000, (ms, offset) => `${toLocal(ms, offset).replace('T', ' ').slice(0, 16)} ${toOffset(offset, ':')}`],
  ['Java in UTC', 1, (ms) => `${new Date(ms).toISOString()}[UTC]`],
  ['one digit of an hour', 60_000, (ms) => `${toLocal(ms, 0).replace('T', ' ').replace(' 0', ' ').slice(0, -7)} UTC`],
  ['a double of seconds', 1000, (ms) => toDouble(Math.floor(ms / 1000))],
  ['RFC 1123', 1000, (ms) => new Date(ms).toUTCString()],
  ['RFC 2822', 1000, (ms, offset) => new Date(ms + offset * 60_000).toUTCString().replace('GMT', toOffset(offset, ''))],
  ['epoch seconds', 1000, (ms) => String(Math.floor(ms / 1000))],
  ['epoch ms', 1, (ms) => String(ms)],
  ['epoch microseconds', 1, (ms) => `${ms}000`],
  ['epoch seconds with a fraction', 1, (ms) => (ms / 1000).toFixed(3)],
];

function toLocal(ms: number, offset: number): string {
  return new Date(ms + offset * 60_000).toISOString().slice(0, -1);
}

/** As Java prints doubles from 10 million on. */
function toDouble(value: number): string {
  return value.toExponential().replace('e+', 'E');
}

function toOffset(offset: number, colon: string): string {
  const size = Math.abs(offset);
  return `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${colon}${two(size % 60)}`;
}

describe('parseTime, fuzzed', () => {
  const instants = fc.integer(YEARS);
  const offsets = fc.oneof(
    fc.integer({ min: -12, max: 14 }).map((hours) => hours * 60),
    fc.integer({ min: -720, max: 840 }),
  );

  it.each(WRITERS)('reads back every %s', (_name, resolutionMs, write) => {
    fc.assert(
      fc.property(instants, offsets, (ms, offset) => {
        const expected = Math.floor(ms / resolutionMs) * resolutionMs;
        expect(parseTime(write(expected, offset))).toEqual({ ok: true, ms: expected });
      }),
      { numRuns: 500, seed: 15 },
    );
  });

  it('reads back what a clock in any zone shows, but for the hour that comes twice', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Asia/Kathmandu',
      'Australia/Lord_Howe',
      'Pacific/Apia',
    );
    fc.assert(
      fc.property(instants, zones, (ms, zone) => {
        const shown = new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(
          ms,
        );
        const parsed = parseTime(shown, { zone });
        const wholeMs = Math.floor(ms / 1000) * 1000;
        if (!parsed.ok) throw new Error(`${shown} ${zone}: ${parsed.reason}`);
        const isFirst =
          parsed.ms === wholeMs ||
          new Intl.DateTimeFormat('sv', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' }).format(
            parsed.ms,
          ) === shown;
        return isFirst && parsed.ms <= wholeMs;
      }),
      { numRuns: 1000, seed: 16 },
    );
  });

  it('reads no day and no time that does not exist, whatever the fields', () => {
    const field = (max: number) => fc.integer({ min: 0, max });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9999 }),
        field(14),
        field(33),
        field(26),
        field(62),
        field(62),
        (...fields) => {
          const [year, month, day, hour, minute, second] = fields;
          const text = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
          const parsed = parseTime(`${text}Z`);
          // Whatever is accepted is written back by Date as exactly the same fields: nothing rolled over.
          return parsed.ok ? new Date(parsed.ms).toISOString().startsWith(text) : isWrong(fields);
        },
      ),
      { numRuns: 5000, seed: 17 },
    );
  });

  it('reads no nonsense and never throws', () => {
    const noise = fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ unit: fc.constantFrom(...'0123456789-:/.+TZ UTCampGM,[]'), maxLength: 30 }),
    );
    fc.assert(
      fc.property(noise, fc.constantFrom<TimeOptions>({}, { zone: 'UTC', dateOrder: 'dmy' }), (text, options) => {
        const parsed = parseTime(text, options);
        if (!parsed.ok) return true;
        expect(Number.isSafeInteger(parsed.ms)).toBe(true);
        return /\d{6}/.test(text.replace(/\D/g, '')) || options.dateOrder !== undefined;
      }),
      { numRuns: 20_000, seed: 18 },
    );
  });

  it('reads no text that has one character too many', () => {
    fc.assert(
      fc.property(instants, fc.nat(), fc.constantFrom(...'xQ!;#'), (ms, at, extra) => {
        const text = new Date(ms).toISOString();
        const cut = at % (text.length + 1);
        return !parseTime(text.slice(0, cut) + extra + text.slice(cut)).ok;
      }),
      { numRuns: 2000, seed: 19 },
    );
  });
});

function isWrong([year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0]: readonly number[]): boolean {
  if (hour > 23 || minute > 59 || second > 59 || month < 1 || month > 12 || day < 1) return true;
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return day > (days[month - 1] ?? 0);
}
