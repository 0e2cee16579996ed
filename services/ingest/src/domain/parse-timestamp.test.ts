import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseTimes } from './parse-timestamp.js';
import { Rejection } from './rejection.js';

const NOW = Date.parse('2026-05-01T12:00:00.000Z');
const DAY = 86_400_000;
const iso = (ms: number) => new Date(ms).toISOString();

describe('the time of an event', () => {
  it('is never moved from where it is good by a sentAt that is more than a day off, or from before it', () => {
    const off = fc.integer({ min: DAY + 1, max: 20_000 * DAY });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 * DAY }), off, fc.boolean(), (ageMs, offMs, isAhead) => {
        const timestamp = iso(NOW - ageMs);
        const sentAt = iso(isAhead ? NOW + offMs : NOW - offMs);
        const times = parseTimes({ timestamp, sentAt }, { receivedAtMs: NOW, clockMode: 'wall' });
        expect(times).toEqual({ timestampMs: NOW - ageMs, receivedAtMs: NOW, isSentAtIgnored: true });
      }),
      { numRuns: 2000, seed: 8 },
    );
  });

  it('is corrected for a clock that is off by up to a day, or by decades, in both fields', () => {
    const off = fc.oneof(fc.integer({ min: -DAY, max: DAY }), fc.constantFrom(-NOW, Date.UTC(2099, 0, 1) - NOW));
    fc.assert(
      fc.property(off, fc.integer({ min: 0, max: 3_600_000 }), (offMs, queuedMs) => {
        const raw = { timestamp: iso(NOW + offMs - queuedMs), sentAt: iso(NOW + offMs) };
        const times = parseTimes(raw, { receivedAtMs: NOW, clockMode: 'wall' });
        expect(times).toEqual({ timestampMs: NOW - queuedMs, receivedAtMs: NOW, isSentAtIgnored: false });
      }),
      { numRuns: 2000, seed: 8 },
    );
  });

  it('rejects an event for its own time only, whatever sentAt is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('wall', 'events'), (sentAt, clockMode) => {
        const times = parseTimes(
          { timestamp: iso(NOW - 1000), sentAt },
          { receivedAtMs: NOW, clockMode: clockMode as 'wall' | 'events' },
        );
        return !(times instanceof Rejection) && times.timestampMs <= times.receivedAtMs;
      }),
      { numRuns: 1000, seed: 8 },
    );
  });
});
