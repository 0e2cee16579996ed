import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DAY, HEAD, HOUR, inputs, NOON, POLICY, policy } from './decide-test-kit.js';
import {
  type ContactHistory,
  type DecisionInputs,
  decideActions,
  explainActions,
  isHeldOut,
  releasePending,
  STEP_OF_REASON,
} from './index.js';

describe('decideActions', () => {
  it('takes one action for a cause, the one of highest priority, and says what it outranked', () => {
    const result = decideActions(POLICY, inputs({ transition: { from: 'prospect' }, causeId: 'transition:2' }));
    expect(result.status).toBe('decided');
    expect(result.decisions).toMatchObject([
      {
        strategy: 'welcome',
        channel: 'email',
        template: 'w',
        causeId: 'transition:2',
        decidedAtMs: NOON,
        expiresAtMs: NOON + DAY,
      },
    ]);
    expect(result.suppressed).toEqual([{ strategy: 'nudge', reason: 'outranked' }]);
    expect(result.decisions[0]?.reasons).toEqual(['became new, was prospect']);
  });

  it('explains with the numbers that the condition read', () => {
    const [decision] = decideActions(POLICY, inputs()).decisions;
    expect(decision).toMatchObject({
      strategy: 'nudge',
      parameters: { points: 5 },
      reasons: ['is new', 'features.x = 10'],
    });
  });

  it('gives the same id for the same cause, and another for another', () => {
    const id = (more: Partial<DecisionInputs>) => decideActions(POLICY, inputs(more)).decisions[0]?.actionId;
    expect(id({})).toBe(id({ nowMs: NOON + HOUR, features: [7] }));
    expect(
      new Set([id({}), id({ causeId: 'score:2' }), id({ profileKey: 'p2' }), id({ namespace: 'cdnow' })]).size,
    ).toBe(4);
  });

  it.each([
    ['no strategy for the stage', { stage: 'churned' }, 'no_candidate', undefined],
    ['a condition that is false', { features: [1] }, 'suppressed', 'nudge'],
    ['a condition on a missing value', { features: [null] }, 'suppressed', 'nudge'],
  ] as const)('does nothing for %s, and says at which step', (_name, more, status, strategy) => {
    const history: ContactHistory = { contacts: [], lastUsedAtMs: {}, pending: [] };
    const result = decideActions(POLICY, inputs({ ...more, history }));
    const drop = { strategy, reason: 'condition_false' };
    const suppressed = strategy === undefined ? [] : [drop];
    const nothing =
      strategy === undefined ? { step: 'candidates', reason: 'no_strategy' } : { step: 'eligible', ...drop };
    expect(result).toEqual({ status, decisions: [], suppressed, nothing, history });
    expect(result.history).toBe(history);
  });

  it('keeps to the cooldown, to the millisecond', () => {
    const { history } = decideActions(POLICY, inputs());
    const again = (nowMs: number) => decideActions(POLICY, inputs({ history, nowMs, causeId: 'score:2' }));
    expect(again(NOON + DAY - 1).suppressed).toEqual([{ strategy: 'nudge', reason: 'cooldown' }]);
    expect(again(NOON + DAY).status).toBe('decided');
  });

  it('keeps to the caps of the channel and over all', () => {
    const contacts = (channel: string, count: number) =>
      Array.from({ length: count }, (_, index) => ({ atMs: NOON - 6 * DAY + index, channel }));
    const history = (list: ContactHistory['contacts']): ContactHistory => ({
      contacts: list,
      lastUsedAtMs: {},
      pending: [],
    });
    const entered = { transition: { from: '' }, features: [0] };
    const reason = (list: ContactHistory['contacts'], nowMs = NOON) =>
      decideActions(POLICY, inputs({ ...entered, nowMs, history: history(list) })).suppressed.find(
        ({ strategy }) => strategy === 'welcome',
      )?.reason;
    expect(reason(contacts('email', 1))).toBeUndefined();
    expect(reason(contacts('email', 2))).toBe('channel_cap');
    expect(reason(contacts('push', 2))).toBeUndefined();
    expect(reason(contacts('push', 3))).toBe('overall_cap');
    expect(reason(contacts('push', 3), NOON + DAY + HOUR)).toBeUndefined();
  });
});

describe('explainActions', () => {
  it('decides the same, and says of every other strategy at which step it was dropped', () => {
    const result = explainActions(POLICY, inputs({ features: [1], transition: { from: 'prospect' } }));
    expect(result.decisions).toEqual(
      decideActions(POLICY, inputs({ features: [1], transition: { from: 'prospect' } })).decisions,
    );
    expect(result.suppressed.map(({ strategy, reason }) => [strategy, STEP_OF_REASON[reason], reason])).toEqual([
      ['badge', 'candidates', 'other_stage'],
      ['nudge', 'eligible', 'condition_false'],
    ]);
  });

  it('names of nothing the strategy that came furthest', () => {
    const contacts = [1, 2].map((hour) => ({ atMs: NOON - hour * HOUR, channel: 'email' }));
    const history = { contacts, lastUsedAtMs: {}, pending: [] };
    const result = explainActions(POLICY, inputs({ features: [1], transition: { from: '' }, history }));
    expect(result.nothing).toEqual({ step: 'suppressed', strategy: 'welcome', reason: 'channel_cap' });
    const scored = explainActions(POLICY, inputs({ features: [1] }));
    expect(scored.suppressed[0]).toEqual({ strategy: 'welcome', reason: 'not_entered' });
  });
});

describe('quiet hours', () => {
  const NIGHT = Date.UTC(2025, 0, 15, 23);
  const MORNING = Date.UTC(2025, 0, 16, 8);

  it('put a decision off to their end, and keep its id', () => {
    const deferred = decideActions(POLICY, inputs({ nowMs: NIGHT }));
    expect(deferred).toMatchObject({ status: 'deferred', decisions: [], retryAtMs: MORNING });
    const early = releasePending(POLICY, inputs({ nowMs: MORNING - 1, history: deferred.history }));
    expect(early).toMatchObject({ decisions: [], retryAtMs: MORNING });
    const released = releasePending(POLICY, inputs({ nowMs: MORNING, history: deferred.history }));
    expect(released.status).toBe('decided');
    expect(released.retryAtMs).toBeUndefined();
    expect(released.decisions[0]).toMatchObject({ strategy: 'nudge', causeId: 'score:1', decidedAtMs: MORNING });
    expect(released.decisions[0]?.actionId).toBe(decideActions(POLICY, inputs()).decisions[0]?.actionId);
    expect(released.history).toMatchObject({ pending: [], contacts: [{ atMs: MORNING, channel: 'push' }] });
  });

  it('are those of the user, else those of the policy', () => {
    const status = (timeZone: string) => decideActions(POLICY, inputs({ nowMs: NIGHT, timeZone })).status;
    expect(status('Asia/Tokyo')).toBe('decided');
    expect(status('Mars/Olympus')).toBe('deferred');
  });

  it('do not concern a channel that ignores them', () => {
    expect(decideActions(POLICY, inputs({ nowMs: NIGHT, stage: 'loyal' })).status).toBe('decided');
  });

  it('do not put off the same strategy twice', () => {
    const { history } = decideActions(POLICY, inputs({ nowMs: NIGHT }));
    const again = decideActions(POLICY, inputs({ nowMs: NIGHT + 1, history, causeId: 'score:2' }));
    expect(again.suppressed).toEqual([{ strategy: 'nudge', reason: 'already_pending' }]);
  });

  it.each([
    ['stage_left', { stage: 'loyal' }, POLICY],
    ['condition_false', { features: [3] }, POLICY],
    ['expired', { nowMs: NOON + 30 * DAY }, POLICY],
    ['strategy_removed', {}, policy(`${HEAD}strategies: {}`)],
  ] as const)('drop what has become pointless: %s', (reason, more, inForce) => {
    const { history } = decideActions(POLICY, inputs({ nowMs: NIGHT }));
    const released = releasePending(inForce, inputs({ nowMs: MORNING, history, ...more }));
    expect(released).toMatchObject({
      status: 'suppressed',
      decisions: [],
      suppressed: [{ strategy: 'nudge', reason }],
    });
    expect(released.history.pending).toEqual([]);
  });

  it('leave a condition the event of the cause, and read the rest as of their end', () => {
    const onCart = policy(`${HEAD}
strategies:
  cart: { stages: [new], on: scored, channel: push, template: c, cooldown: 0s, when: event.name == "Cart" && profile.days_since_event < 1 }
`);
    const cart = inputs({ nowMs: NIGHT, lastEventAtMs: NIGHT, event: { type: 'track', name: 'Cart' } });
    const { history } = decideActions(onCart, cart);
    const release = (lastEventAtMs: number) =>
      releasePending(onCart, inputs({ nowMs: MORNING, history, lastEventAtMs })).status;
    expect(release(NIGHT)).toBe('decided');
    expect(release(NIGHT - DAY)).toBe('suppressed');
  });

  it('drop at once what would expire before they end', () => {
    const short = policy(`${HEAD}
strategies:
  flash: { stages: [new], on: scored, channel: push, template: f, cooldown: 0s, expiry: 2h }
`);
    const result = decideActions(short, inputs({ nowMs: NIGHT }));
    expect(result.suppressed).toEqual([{ strategy: 'flash', reason: 'quiet_hours_outlast_expiry' }]);
  });
});

describe('holdouts', () => {
  const half = policy(`
holdout: { share: 0.5, salt: s1 }
channels: { push: {} }
strategies:
  a: { stages: [new], on: scored, channel: push, template: a, cooldown: 0s, holdout: 0.5 }
`);

  it('are stable, draw about their share, and another salt draws others', () => {
    const keys = Array.from({ length: 2_000 }, (_, index) => `profile-${index}`);
    const held = keys.filter((key) => isHeldOut(0.5, 's1', key));
    expect(held).toEqual(keys.filter((key) => isHeldOut(0.5, 's1', key)));
    expect(Math.abs(held.length - 1_000)).toBeLessThan(120);
    const other = keys.filter((key) => isHeldOut(0.5, 's2', key));
    expect(Math.abs(held.filter((key) => other.includes(key)).length - 500)).toBeLessThan(120);
    expect(keys.some((key) => isHeldOut(0, 's1', key))).toBe(false);
  });

  it('get nothing, whatever the cause', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), (profileKey, offset) => {
        const result = decideActions(half, inputs({ profileKey, causeId: `score:${offset}` }));
        if (isHeldOut(0.5, 's1', profileKey))
          expect(result.suppressed).toEqual([{ strategy: 'a', reason: 'global_holdout' }]);
        else if (isHeldOut(0.5, 's1', profileKey, 'a')) {
          expect(result.suppressed).toEqual([{ strategy: 'a', reason: 'strategy_holdout' }]);
        } else expect(result.status).toBe('decided');
      }),
    );
  });
});

describe('the weighted choice', () => {
  const weighted = policy(`
choice: weighted
channels: { push: {} }
strategies:
  often: { stages: [new], on: scored, channel: push, template: a, cooldown: 0s, weight: 3 }
  seldom: { stages: [new], on: scored, channel: push, template: a, cooldown: 0s, weight: 1 }
  never: { stages: [new], on: scored, channel: push, template: a, cooldown: 0s, weight: 0 }
`);

  it('draws by weight, and the same for the same cause', () => {
    const draw = (offset: number) =>
      decideActions(weighted, inputs({ causeId: `score:${offset}` })).decisions[0]?.strategy;
    const draws = Array.from({ length: 1_000 }, (_, offset) => draw(offset));
    expect(draws).toEqual(Array.from({ length: 1_000 }, (_, offset) => draw(offset)));
    const often = draws.filter((name) => name === 'often').length;
    expect(Math.abs(often - 750)).toBeLessThan(60);
    expect(draws).not.toContain('never');
  });
});
