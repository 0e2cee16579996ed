import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isQuiet, isTimeZone, toLocalMinutes, toQuietEndMs } from './index.js';

const MINUTE = 60_000;
const NIGHT = { from: 21 * 60, to: 8 * 60 };

describe('toLocalMinutes', () => {
  it.each([
    ['UTC', '2025-01-15T13:45:59Z', 13 * 60 + 45],
    ['Europe/Berlin', '2025-01-15T23:00:00Z', 0],
    ['Asia/Kathmandu', '2025-01-15T00:00:00Z', 5 * 60 + 45],
    ['America/New_York', '2025-07-15T04:30:00Z', 30],
  ])('%s at %s', (zone, at, minutes) => {
    expect(toLocalMinutes(zone, Date.parse(at))).toBe(minutes);
  });

  it('knows what is no zone', () => {
    for (const name of ['', 'Mars/Olympus', 'x'.repeat(1_000), '__proto__', '\0']) expect(isTimeZone(name)).toBe(false);
    expect(isTimeZone('Australia/Lord_Howe')).toBe(true);
  });
});

/**
 * Minute by minute. When the clocks go back from within quiet hours to before them, that is a valid end, and so is the
 * end after the repeated hour: no message is sent in quiet hours either way.
 */
function toNaiveEnds(quiet: { from: number; to: number }, zone: string, atMs: number): number[] {
  const ends: number[] = [];
  let ms = Math.floor(atMs / MINUTE) * MINUTE;
  for (;;) {
    while (isQuiet(quiet, zone, ms)) ms += MINUTE;
    ends.push(ms);
    const wentBack = (toLocalMinutes(zone, ms - MINUTE) - toLocalMinutes(zone, ms) + 1_440) % 1_440 <= 180;
    if (!wentBack) return ends;
    while (!isQuiet(quiet, zone, ms)) ms += MINUTE;
  }
}

describe('toQuietEndMs', () => {
  it.each([
    ['UTC', '2025-01-15T12:00:00Z', undefined],
    ['UTC', '2025-01-15T21:00:00Z', '2025-01-16T08:00:00.000Z'],
    ['UTC', '2025-01-15T07:59:59.999Z', '2025-01-15T08:00:00.000Z'],
    ['UTC', '2025-01-15T08:00:00Z', undefined],
    // Clocks go forward on 9 March 2025 at 2:00 in New York: the night is an hour shorter.
    ['America/New_York', '2025-03-09T03:00:00Z', '2025-03-09T12:00:00.000Z'],
    // And back on 2 November 2025: an hour longer.
    ['America/New_York', '2025-11-02T03:00:00Z', '2025-11-02T13:00:00.000Z'],
    // Lord Howe Island moves by half an hour.
    ['Australia/Lord_Howe', '2025-04-05T12:00:00Z', '2025-04-05T21:30:00.000Z'],
  ])('%s at %s ends at %s', (zone, at, end) => {
    const endMs = toQuietEndMs(NIGHT, zone, Date.parse(at));
    expect(endMs === undefined ? undefined : new Date(endMs).toISOString()).toBe(end);
  });

  it('ends at the first minute after a gap that swallows its end', () => {
    const endMs = toQuietEndMs({ from: 60, to: 150 }, 'America/New_York', Date.parse('2025-03-09T06:30:00Z'));
    expect(new Date(endMs ?? 0).toISOString()).toBe('2025-03-09T07:00:00.000Z');
  });

  it('agrees with going minute by minute, around changes of the clocks', () => {
    const changes = [
      ['America/New_York', '2025-03-09T07:00:00Z'],
      ['America/New_York', '2025-11-02T06:00:00Z'],
      ['Europe/Berlin', '2025-03-30T01:00:00Z'],
      ['Europe/Berlin', '2025-10-26T01:00:00Z'],
      ['Australia/Lord_Howe', '2025-04-05T15:00:00Z'],
      ['Australia/Lord_Howe', '2025-10-04T15:30:00Z'],
      ['Africa/Casablanca', '2025-02-23T02:00:00Z'],
      ['UTC', '2025-06-01T00:00:00Z'],
    ] as const;
    fc.assert(
      fc.property(
        fc.constantFrom(...changes),
        fc.integer({ min: -12 * 60, max: 6 * 60 }),
        fc.record({ from: fc.integer({ min: 0, max: 95 }), length: fc.integer({ min: 9, max: 60 }) }),
        ([zone, change], offset, { from, length }) => {
          const quiet = { from: from * 15, to: ((from + length) * 15) % 1_440 };
          const atMs = Date.parse(change) + offset * MINUTE + 12_345;
          const endMs = toQuietEndMs(quiet, zone, atMs);
          const accepted = isQuiet(quiet, zone, atMs) ? toNaiveEnds(quiet, zone, atMs) : [undefined];
          expect(accepted).toContain(endMs);
        },
      ),
      { numRuns: 150 },
    );
  });
});
