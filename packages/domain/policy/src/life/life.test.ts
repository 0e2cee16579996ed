import { describe, expect, it } from '@jest/globals';
import { OUTCOME_KINDS } from '@perennial/contracts';
import fc from 'fast-check';
import { type ActionLife, canStop, LIVES_MAX, listOutcomes, mergeLives, takeOutcome, toLifeState } from './life.js';

const kinds = fc.array(fc.constantFrom(...OUTCOME_KINDS), { maxLength: 12 });
const life = (actionId = 'a', decidedAtMs = 0): ActionLife => {
  return { actionId, strategy: 's', channel: 'email', decidedAtMs, expiresAtMs: 1_000, outcomes: 0 };
};
const live = (of: readonly string[], from = life()) => of.reduce(takeOutcome, from);
const stateOf = (one: ActionLife) => toLifeState(listOutcomes(one));

describe('the life of an action', () => {
  it.each([
    [[], 'decided'],
    [['handed_over', 'assigned', 'confirmed'], 'confirmed'],
    [['assigned', 'skipped'], 'skipped'],
    [['delivered', 'opened', 'clicked', 'converted'], 'converted'],
    [['opened', 'delivered'], 'opened'],
    [['delivered', 'bounced'], 'bounced'],
    [['cancelled', 'delivered'], 'delivered'],
    [['expired', 'handed_over'], 'expired'],
    [['clicked', 'complained', 'opened'], 'complained'],
    [['of another release'], 'decided'],
  ])('with %j is %s', (reported, state) => {
    expect(stateOf(live(reported))).toBe(state);
  });

  it('does not depend on order and repeats, and never goes back', () => {
    const rank = (state: string) => ['decided', ...OUTCOME_KINDS].indexOf(state);
    expect(rank('converted')).toBeGreaterThan(0);
    fc.assert(
      fc.property(kinds, kinds, fc.constantFrom(...OUTCOME_KINDS), (some, others, late) => {
        const all = live([...some, ...others]);
        expect(stateOf(live([...others, ...some, ...others]))).toBe(stateOf(all));
        const again = takeOutcome(takeOutcome(all, late), late);
        expect(takeOutcome(again, late)).toBe(again);
        // What was reported once is never unsaid: the state is one of it, or the new one.
        expect([stateOf(all), late]).toContain(stateOf(again));
        if (stateOf(again) === late && late !== stateOf(all))
          expect(stateOf(live([late, ...some, ...others]))).toBe(late);
      }),
    );
  });

  it('can be stopped until something has reached the person, and until it expires', () => {
    expect(canStop(life(), 999)).toBe(true);
    expect(canStop(live(['handed_over', 'assigned']), 999)).toBe(true);
    expect(canStop(life(), 1_000)).toBe(false);
    for (const kind of OUTCOME_KINDS.slice(2)) expect([kind, canStop(live([kind]), 1)]).toEqual([kind, false]);
  });

  it('is merged with those of another profile, whichever joins first', () => {
    const one = fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), kinds), { maxLength: 6 })
      .map((drawn) => drawn.map(([id, reported]) => live(reported, life(id, id.charCodeAt(0)))))
      .map((drawn) => mergeLives([], drawn));
    fc.assert(
      fc.property(one, one, one, (a, b, c) => {
        expect(mergeLives(a, b)).toEqual(mergeLives(b, a));
        expect(mergeLives(mergeLives(a, b), c)).toEqual(mergeLives(a, mergeLives(b, c)));
        expect(mergeLives(a, a)).toEqual(a);
      }),
    );
    const many = Array.from({ length: LIVES_MAX + 3 }, (_, index) => life(`a${index}`, index));
    expect(mergeLives(many, []).map(({ decidedAtMs }) => decidedAtMs)).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });
});
