import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseZone } from './parse-zone.js';
import { SHOWN_ZONES } from './shown-zones.js';
import { WINDOWS_ZONES } from './windows-zones.js';
import { isZone, toZoneOffsetMs } from './zone-offset.js';

const JUNE = Date.UTC(2024, 5, 10, 12);

describe('parseZone', () => {
  it.each([
    ['Europe/Berlin', 'Europe/Berlin', 120],
    ['europe/berlin', 'Europe/Berlin', 120],
    ['Asia/Tokyo ', 'Asia/Tokyo', 540],
    ['Asia/Kolkata', 'Asia/Kolkata', 330],
    ['US/Pacific', 'US/Pacific', -420],
    ['UTC', 'UTC', 0],
    ['Tokyo Standard Time', 'Asia/Tokyo', 540],
    ['w. europe standard time', 'Europe/Berlin', 120],
    ['Eastern Standard Time', 'America/New_York', -240],
    ['Eastern Daylight Time', 'America/New_York', -240],
    ['Central European Summer Time', 'Europe/Warsaw', 120],
    ['Central European Standard Time', 'Europe/Warsaw', 120],
    ['British Summer Time', 'Europe/London', 60],
    ['Japan Standard Time', 'Asia/Tokyo', 540],
    ['Coordinated Universal Time', 'UTC', 0],
    ['Eastern Daylight Time (Mexico)', 'America/Cancun', -300],
    ['(UTC+09:00) Osaka, Sapporo, Tokyo', 'Asia/Tokyo', 540],
    ['(UTC-05:00) Eastern Time (US & Canada)', 'America/New_York', -240],
    ['(GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna', 'Europe/Berlin', 120],
    ['(UTC) Dublin, Edinburgh, Lisbon, London', 'Europe/London', 60],
    ["(UTC+13:00) Nuku'alofa", 'Pacific/Tongatapu', 780],
    ['(UTC-02:00) Coordinated Universal Time-02', 'Etc/GMT+2', -120],
    ['(UTC) Coordinated Universal Time', 'UTC', 0],
    ['GMT+0900', 'Etc/GMT-9', 540],
    ['+09:00', 'Etc/GMT-9', 540],
    ['+0900', 'Etc/GMT-9', 540],
    ['+9', 'Etc/GMT-9', 540],
    ['UTC+9', 'Etc/GMT-9', 540],
    ['UTC+09:00', 'Etc/GMT-9', 540],
    ['gmt -3', 'Etc/GMT+3', -180],
    ['UTC\u22123', 'Etc/GMT+3', -180],
    ['GMT+5:30', '+05:30', 330],
    ['-03:30', '-03:30', -210],
    ['GMT+0900 (Japan Standard Time)', 'Etc/GMT-9', 540],
    ['America/New York', 'America/New_York', -240],
    ['Z', 'UTC', 0],
    ['+14:00', 'Etc/GMT-14', 840],
    ['-13:00', '-13:00', -780],
    ['GMT+00:00', 'UTC', 0],
    // IANA's sign is that of POSIX, the opposite of ISO 8601's.
    ['Etc/GMT-9', 'Etc/GMT-9', 540],
    ['etc/gmt+3', 'Etc/GMT+3', -180],
  ])('reads %j as %s, %d minutes east in June', (text, zone, minutes) => {
    expect(parseZone(text)).toBe(zone);
    expect(toZoneOffsetMs(zone, JUNE) / 60_000).toBe(minutes);
  });

  it.each([
    '',
    ' ',
    'Mars/Olympus',
    'BST',
    'IST',
    'CST',
    'ist',
    '+15:00',
    '+09:60',
    '9',
    '540',
    '-540',
    'GMT9',
    'JST-9',
    '(Japan Standard Time)',
    'Asia/Tokyo (Japan)',
    'Daylight Time',
    'local',
    'undefined',
    'Etc/GMT-15',
    '__proto__',
    'constructor',
    'x'.repeat(100),
  ])('reads no zone in %j', (text) => expect(parseZone(text)).toBeUndefined());

  it('gives only zones that can be used, for every Windows name and offset', () => {
    for (const zone of Object.values(WINDOWS_ZONES)) expect(isZone(zone)).toBe(true);
    for (const name of Object.keys(WINDOWS_ZONES)) expect([WINDOWS_ZONES[name], 'UTC']).toContain(parseZone(name));
    for (const [shown, name] of Object.entries(SHOWN_ZONES))
      expect(parseZone(`(UTC-03:00) ${shown}`)).toBe(WINDOWS_ZONES[name]);
    const spellings = fc.record({
      prefix: fc.constantFrom('', 'GMT', 'UTC', 'utc', 'UTC '),
      colon: fc.constantFrom('', ':'),
      minutes: fc.integer({ min: -840, max: 840 }),
    });
    fc.assert(
      fc.property(spellings, ({ prefix, colon, minutes }) => {
        const size = Math.abs(minutes);
        const text = `${minutes < 0 ? '-' : '+'}${String(Math.floor(size / 60)).padStart(2, '0')}${colon}${String(size % 60).padStart(2, '0')}`;
        const zone = parseZone(prefix + text) ?? 'none';
        expect(toZoneOffsetMs(zone, JUNE)).toBe(minutes * 60_000);
        expect(isZone(zone)).toBe(true);
      }),
      { numRuns: 1000, seed: 15 },
    );
  });
});
