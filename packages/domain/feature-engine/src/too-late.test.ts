import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import type { FeatureDefinition } from './definition.js';
import { DAY_MS, HOUR_MS } from './time.js';

const NOW_MS = Date.UTC(2024, 2, 1, 12);
const base = { unit: 'x', event: undefined };
const week: FeatureDefinition = { ...base, name: 'week', aggregation: 'count', windowMs: 7 * DAY_MS };
const days: FeatureDefinition = { ...base, name: 'days', aggregation: 'active_days', windowMs: 30 * DAY_MS };
const trend: FeatureDefinition = { ...base, name: 'trend', aggregation: 'trend', windowMs: 7 * DAY_MS };
const decay: FeatureDefinition = { ...base, name: 'decay', aggregation: 'decayed_count', halfLifeMs: 8 * HOUR_MS };
const all: FeatureDefinition = { ...base, name: 'all', aggregation: 'count', windowMs: undefined };

/** Whether an event that long before now is too late, and the values with it. */
function fold(definitions: readonly FeatureDefinition[], agoMs: number) {
  const spec = compileFeatures(definitions);
  const now = spec.advance(spec.empty, NOW_MS);
  const event = { messageId: 'm', type: 'track', name: 'a', timestampMs: NOW_MS - agoMs, properties: {} };
  const { state, isTooLate } = spec.apply(now, event);
  return { isTooLate, values: spec.toMap(spec.vector(state, NOW_MS).values) };
}

describe('an event that comes late', () => {
  it('changes the past within the widest window, and beyond it the whole life only', () => {
    expect(fold([week, all], 7 * DAY_MS)).toEqual({ isTooLate: false, values: { week: 1, all: 1 } });
    expect(fold([week, all], 7 * DAY_MS + 1)).toEqual({ isTooLate: true, values: { week: 0, all: 1 } });
    expect(fold([week, days], 30.5 * DAY_MS)).toEqual({ isTooLate: false, values: { week: 0, days: 1 } });
    expect(fold([week, days], 30.5 * DAY_MS + 1)).toEqual({ isTooLate: true, values: { week: 0, days: 0 } });
  });

  it.each<[FeatureDefinition, number]>([
    [trend, 14 * DAY_MS],
    [decay, 127 * HOUR_MS],
  ])('is too late for what reaches further than its window or half-life (%j)', (definition, reachMs) => {
    expect(fold([definition], reachMs).isTooLate).toBe(false);
    expect(fold([definition], reachMs + 1).isTooLate).toBe(true);
  });

  it('is never too late for the whole life alone', () => {
    expect(fold([all], 4_000 * DAY_MS)).toEqual({ isTooLate: false, values: { all: 1 } });
  });
});
