import { describe, expect, it } from '@jest/globals';
import { decideActions } from '@perennial/policy';
import { readSpec } from '../features/read-spec.js';
import { requirePolicy } from './read-policy.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const HOUR_DAYS = 1 / 24;

/** What a preset does for a profile of this stage whose other features have no value; it is in no holdout. */
function decide(preset: string, stage: string, values: Readonly<Record<string, number>>) {
  const policy = { ...requirePolicy(preset), holdoutShare: 0 };
  const { decisions } = decideActions(policy, {
    namespace: 'live',
    profileKey: 'p1',
    stage,
    nowMs: NOON,
    history: undefined,
    timeZone: '',
    causeId: 'score:1',
    stageSinceMs: NOON,
    features: readSpec(preset).names.map((name) => values[name] ?? null),
    lastEventAtMs: NOON,
  });
  return decisions.map(({ strategy }) => strategy);
}

describe('the policies of presets reach whom they are meant for', () => {
  // After the last event there is a score at about one hour, and the next at 24.
  it.each([HOUR_DAYS, 12 * HOUR_DAYS])('a shop reminds of a basket %d days after it was left', (days) => {
    expect(decide('ecommerce', 'prospect', { carts_recency_days: days })).toEqual(['basket']);
  });

  it('a shop does not remind of a basket at once, or when it was ordered', () => {
    expect(decide('ecommerce', 'prospect', { carts_recency_days: 0.01 })).toEqual([]);
    const ordered = { carts_recency_days: 0.5, orders_recency_days: 0.4 };
    expect(decide('ecommerce', 'new', ordered)).toEqual([]);
  });

  // One order a year makes nobody engaged or loyal, and after months without one a member is at risk.
  it.each(['new', 'activated', 'engaged', 'loyal', 'at_risk'])('a school asks a member who is %s to renew', (stage) => {
    const values = { orders_tenure_days: 340, orders_recency_days: 340, lesson_recency_days: 1 };
    expect(decide('knowledge', stage, values)).toEqual(['membership_renewal']);
  });

  it.each(['new', 'activated', 'engaged', 'loyal', 'at_risk', 'dormant'])(
    'a publisher offers a pause to a subscriber who is %s and cancels',
    (stage) => {
      expect(decide('media', stage, { cancellation_recency_days: 0.1 })).toEqual(['pause_instead']);
    },
  );
});
