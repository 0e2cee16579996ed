import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { toBytesMax } from './state-bound.js';
import { DAY_MS, HOUR_MS } from './time.js';

const LOCAL = { event: undefined, zone: 'local' } as const;
const DEFINITIONS: readonly FeatureDefinition[] = [
  { ...LOCAL, name: 'evening', unit: 'share', aggregation: 'hour_share', hours: [20], windowMs: undefined },
  { ...LOCAL, name: 'sunday', unit: 'share', aggregation: 'weekday_share', weekdays: [7], windowMs: 365 * DAY_MS },
  { ...LOCAL, name: 'days', unit: 'days', aggregation: 'active_days', windowMs: 30 * DAY_MS },
  { ...LOCAL, name: 'streak', unit: 'days', aggregation: 'streak', windowMs: undefined },
];
const BERLIN = 'Europe/Berlin';
const utc = (text: string) => Date.parse(`${text}Z`);
const seen = (text: string, timeZone: string, more: Partial<FeatureEvent> = {}): FeatureEvent => ({
  messageId: `${text} ${timeZone}`,
  type: 'track',
  name: 'seen',
  timestampMs: utc(text),
  properties: {},
  timeZone,
  ...more,
});

function read(events: readonly FeatureEvent[], at: string, definitions = DEFINITIONS) {
  const spec = compileFeatures(definitions);
  const state = events.reduce((before, event) => spec.apply(before, event).state, spec.empty);
  return spec.toMap(spec.vector(spec.decode(spec.encode(state)), utc(at)).values);
}

describe('features at the clocks of the event', () => {
  it('take the offset of the day, before and after the clocks change', () => {
    // 20 h in Berlin is 19 h UTC in winter and 18 h in summer. Sunday is from 23 h of Saturday, then from 22 h.
    const events = ['2024-03-30T19:30', '2024-03-31T18:30', '2024-03-30T18:30', '2024-03-30T23:30'];
    const values = read(
      events.map((at) => seen(at, BERLIN)),
      '2024-03-31T19:00',
    );
    expect(values).toEqual({ evening: 0.5, sunday: 0.5, days: 2, streak: 2 });
  });

  it('count a day of clocks, not of UTC, and end a streak when that of the newest event has passed', () => {
    const newYork = 'America/New_York';
    // The 1st and the 2nd at 23:30 there.
    const events = [seen('2024-06-02T03:30', newYork), seen('2024-06-03T03:30', newYork)];
    expect(read(events, '2024-06-03T04:00')).toMatchObject({ days: 2, streak: 2 });
    expect(read(events, '2024-06-04T03:59')).toMatchObject({ streak: 2 });
    expect(read(events, '2024-06-04T04:00')).toMatchObject({ streak: 0 });
  });

  it('are those of UTC for an event without a zone, or with one that nobody knows', () => {
    const events = [seen('2024-06-02T20:30', ''), seen('2024-06-02T20:40', 'Mars/Olympus')];
    expect(read(events, '2024-06-02T21:00')).toEqual({ evening: 1, sunday: 1, days: 1, streak: 1 });
  });

  it('take an event back from the hour that it was in, also an order that a state has kept', () => {
    const rules = { corrections: { keep: 4, cancelled: ['Order Cancelled'] } };
    const spec = compileFeatures(DEFINITIONS, rules);
    const order = { name: 'Order Completed', properties: { order_id: 'o1', revenue: 5 } };
    const all = [seen('2024-07-01T18:30', BERLIN, order), seen('2024-07-01T20:10', '')];
    const stored = spec.encode(all.reduce((state, event) => spec.apply(state, event).state, spec.empty));
    const cancel = seen('2024-07-02T01:00', '', { name: 'Order Cancelled', properties: { order_id: 'o1' } });
    const { state, correction } = spec.apply(spec.decode(stored), cancel);
    // Which of two events of a day remains is known of hours, not of days.
    expect(correction).toEqual({ result: 'taken_back', cannot: ['days', 'streak'] });
    expect(spec.toMap(spec.vector(state, state.asOfMs).values)).toMatchObject({ evening: 0.5, sunday: 0 });
  });

  it('say that they may have an order that was kept before its zone was', () => {
    const rules = { corrections: { keep: 4, cancelled: ['Order Cancelled'] } };
    const spec = compileFeatures(DEFINITIONS, rules);
    const order = { name: 'Order Completed', properties: { order_id: 'o1' }, timeZone: undefined };
    const known = spec.apply(spec.empty, seen('2024-07-01T18:30', '', order)).state;
    const cancel = seen('2024-07-02T01:00', '', { name: 'Order Cancelled', properties: { order_id: 'o1' } });
    expect(spec.apply(known, cancel).correction?.cannot).toEqual(['evening', 'sunday', 'days', 'streak']);
  });

  it('keep a state within its bound', () => {
    const [, , days] = DEFINITIONS as [unknown, unknown, FeatureDefinition];
    const spec = compileFeatures([days]);
    let state = spec.empty;
    for (let hour = 0; hour < 60 * 24; hour += 5) {
      const zone = ['Pacific/Kiritimati', 'Pacific/Pago_Pago'][hour % 2] ?? '';
      const at = new Date(utc('2024-01-01T00:00') + hour * HOUR_MS).toISOString().slice(0, 16);
      state = spec.apply(state, seen(at, zone)).state;
    }
    const empty = spec.encode(spec.advance(spec.empty, state.asOfMs)).length;
    const bytes = spec.encode(spec.withoutMemories(state)).length - empty;
    expect(bytes).toBeGreaterThan(30);
    expect(bytes).toBeLessThanOrEqual(toBytesMax(days));
  });
});
