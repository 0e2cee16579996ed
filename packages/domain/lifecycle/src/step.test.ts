import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '@perennial/expressions';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import {
  type Lifecycle,
  parseLifecycle,
  type StageInputs,
  type StageState,
  type StageTransition,
  stepStage,
} from './index.js';
import { FEATURE_NAMES } from './lifecycle-test-kit.js';

const DAY = 86_400_000;
const T0 = Date.UTC(2025, 0, 1);

function chart(text: string, featureNames: readonly string[] = ['x']): Lifecycle {
  const parsed = parseLifecycle(text, { fileName: 'lifecycle.yaml', featureNames });
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  return parsed.value;
}

function inputs(day: number, x: number | null, more: Partial<StageInputs> = {}): StageInputs {
  return { nowMs: T0 + day * DAY, values: [x], cause: 'event', lastEventAtMs: T0 + day * DAY, ...more };
}

const SIMPLE = chart(`
version: 1
initial: cold
stages:
  cold:
    minDwell: 2d
    transitions:
      - { to: gone, absence: 10d, reason: silent }
      - { to: warm }
  warm:
    description: has become warm
    enter: features.x >= 5
    stay: features.x >= 3
    transitions:
      - { to: hot, when: features.x > 9, minDwell: 0s }
      - { to: cold, when: "true", back: true }
  hot:
    recheck: 7d
    transitions:
      - { to: warm, when: profile.days_in_stage > 10 }
  gone: {}
`);

describe('stepStage', () => {
  it('puts a first record into the initial stage as transition number 1', () => {
    const { state, transition, nextCheckAtMs } = stepStage(SIMPLE, undefined, inputs(0, 0));
    expect(state).toEqual({ stage: 'cold', sinceMs: T0, number: 1 });
    expect(transition).toEqual({
      number: 1,
      from: '',
      to: 'cold',
      cause: 'event',
      atMs: T0,
      reasons: ['first record'],
      evidence: {},
    });
    expect(nextCheckAtMs).toBe(T0 + 10 * DAY);
  });

  it('takes a first record straight to where it belongs', () => {
    const lifecycle = chart(`
version: 1
initial: prospect
stages:
  prospect: { transitions: [{ to: buyer, when: features.x >= 1, reason: has bought }] }
  buyer: {}
`);
    expect(stepStage(lifecycle, undefined, inputs(0, 1)).transition).toMatchObject({
      number: 1,
      from: '',
      to: 'buyer',
      reasons: ['first record', 'has bought', 'features.x = 1'],
    });
  });

  it('gives the very state back when nothing changes', () => {
    const state = { stage: 'cold', sinceMs: T0, number: 1 };
    const result = stepStage(SIMPLE, state, inputs(3, null));
    expect(result.state).toBe(state);
    expect(result.transition).toBeUndefined();
  });

  it('waits for the dwell, wakes at its end, and explains the transition', () => {
    const state = { stage: 'cold', sinceMs: T0, number: 1 };
    const blocked = stepStage(SIMPLE, state, inputs(1, 7));
    expect(blocked.transition).toBeUndefined();
    expect(blocked.nextCheckAtMs).toBe(T0 + 2 * DAY);
    const due = stepStage(SIMPLE, state, inputs(2, 7, { cause: 'timer', lastEventAtMs: T0 + DAY }));
    expect(due.transition).toEqual({
      number: 2,
      from: 'cold',
      to: 'warm',
      cause: 'timer',
      atMs: T0 + 2 * DAY,
      reasons: ['has become warm', 'features.x = 7'],
      evidence: { 'features.x': 7 },
    });
  });

  it('does not wake at the end of a dwell that holds nothing up', () => {
    const state = { stage: 'cold', sinceMs: T0, number: 1 };
    expect(stepStage(SIMPLE, state, inputs(1, 0)).nextCheckAtMs).toBe(T0 + 11 * DAY);
  });

  it('holds a stage while its stay condition holds', () => {
    const state = { stage: 'warm', sinceMs: T0, number: 2 };
    expect(stepStage(SIMPLE, state, inputs(5, 4)).transition).toBeUndefined();
    expect(stepStage(SIMPLE, state, inputs(5, 2)).transition?.to).toBe('cold');
    expect(stepStage(SIMPLE, state, inputs(5, null)).transition?.to).toBe('cold');
  });

  it('makes one transition a step, and comes back at once for a further one', () => {
    const state = { stage: 'cold', sinceMs: T0, number: 1 };
    const first = stepStage(SIMPLE, state, inputs(3, 10));
    expect(first.transition?.to).toBe('warm');
    expect(first.nextCheckAtMs).toBe(T0 + 3 * DAY + 1);
    const second = stepStage(SIMPLE, first.state, {
      ...inputs(3, 10),
      nowMs: must(first.nextCheckAtMs, 'next'),
      cause: 'timer',
    });
    expect(second.transition).toMatchObject({ number: 3, to: 'hot' });
  });

  it('moves on absence alone', () => {
    const state = { stage: 'cold', sinceMs: T0, number: 1 };
    const result = stepStage(SIMPLE, state, inputs(11, 0, { cause: 'timer', lastEventAtMs: T0 + DAY }));
    expect(result.transition).toMatchObject({ to: 'gone', reasons: ['silent', 'no event for 10 days'] });
    expect(result.nextCheckAtMs).toBeUndefined();
  });

  it('rechecks on a grid from entry on', () => {
    const state = { stage: 'hot', sinceMs: T0, number: 3 };
    expect(stepStage(SIMPLE, state, inputs(3, 10)).nextCheckAtMs).toBe(T0 + 7 * DAY);
    expect(stepStage(SIMPLE, state, inputs(7, 10)).nextCheckAtMs).toBe(T0 + 14 * DAY);
    expect(stepStage(SIMPLE, state, inputs(14, 10)).transition?.to).toBe('warm');
  });

  it('moves a profile whose stage the chart no longer has to the initial stage, numbered on', () => {
    const result = stepStage(SIMPLE, { stage: 'abolished', sinceMs: T0, number: 7 }, inputs(1, 0));
    expect(result.transition).toMatchObject({ number: 8, from: 'abolished', to: 'cold' });
  });
});

/** A random chart over three stages, whose conditions change with events only, and random events. */
const STAGES = ['a', 'b', 'c'];
const exit = fc.record({
  to: fc.constantFrom(...STAGES),
  threshold: fc.integer({ min: 0, max: 4 }),
  above: fc.boolean(),
  absenceTicks: fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined }),
  dwellTicks: fc.integer({ min: 0, max: 6 }),
  back: fc.boolean(),
});
const randomChart = fc.array(fc.array(exit, { maxLength: 3 }), { minLength: 3, maxLength: 3 }).map((stages) => {
  const lines = ['version: 1', 'initial: a', 'stages:'];
  stages.forEach((exits, index) => {
    const name = must(STAGES[index], 'stage');
    lines.push(`  ${name}:`, `    stay: features.x == ${index + 1}`, '    transitions:');
    const others = exits.filter(({ to }) => to !== name);
    if (others.length === 0) lines[lines.length - 1] += ' []';
    for (const { to, threshold, above, absenceTicks, dwellTicks, back } of others) {
      const absence = absenceTicks === undefined ? '' : `, absence: ${absenceTicks}s`;
      const when = `features.x ${above ? '>' : '<'} ${threshold}`;
      lines.push(`      - { to: ${to}, when: "${when}", minDwell: ${dwellTicks}s, back: ${back}${absence} }`);
    }
  });
  return lines.join('\n');
});
const TICK = 1_000;
const randomEvents = fc.array(
  fc.record({ atMs: fc.integer({ min: 0, max: 60 * TICK }), x: fc.option(fc.integer({ min: 0, max: 4 })) }),
  { minLength: 1, maxLength: 8 },
);

/** Runs a history; between events the machine steps at every tick, or only at the first tick past `nextCheckAtMs`. */
function run(lifecycle: Lifecycle, events: ReadonlyArray<{ atMs: number; x: number | null }>, everyTick: boolean) {
  const sorted = [...events].sort((a, b) => a.atMs - b.atMs);
  const transitions: StageTransition[] = [];
  let state: StageState | undefined;
  let dueAtMs: number | undefined;
  let last = must(sorted[0], 'first event');
  const step = (nowMs: number, cause: 'event' | 'timer'): void => {
    const result = stepStage(lifecycle, state, { nowMs, values: [last.x], cause, lastEventAtMs: last.atMs });
    state = result.state;
    dueAtMs = result.nextCheckAtMs;
    if (dueAtMs !== undefined) expect(dueAtMs).toBeGreaterThan(nowMs);
    if (result.transition !== undefined) transitions.push(result.transition);
  };
  for (let tick = 0; tick <= 120; tick++) {
    for (const event of sorted) {
      if (event.atMs <= (tick - 1) * TICK || event.atMs > tick * TICK) continue;
      last = event;
      step(event.atMs, 'event');
    }
    const isDue = dueAtMs !== undefined && dueAtMs <= tick * TICK;
    if (state !== undefined && (everyTick || isDue)) step(tick * TICK, 'timer');
  }
  return transitions;
}

describe('the stage machine over random charts and histories', () => {
  it('stepped at nextCheckAtMs moves as when stepped all the time', () => {
    fc.assert(
      fc.property(randomChart, randomEvents, (text, events) => {
        const lifecycle = chart(text);
        expect(run(lifecycle, events, false)).toEqual(run(lifecycle, events, true));
      }),
      { numRuns: 300 },
    );
  });

  it('numbers without gaps, chains from to to, and never goes back in time', () => {
    fc.assert(
      fc.property(randomChart, randomEvents, (text, events) => {
        const transitions = run(chart(text), events, true);
        transitions.forEach((transition, index) => {
          expect(transition.number).toBe(index + 1);
          expect(transition.from).toBe(transitions[index - 1]?.to ?? '');
          expect(transition.to).not.toBe(transition.from);
          expect(transition.atMs).toBeGreaterThanOrEqual(transitions[index - 1]?.atMs ?? 0);
        });
        expect(transitions[0]).toMatchObject({ number: 1, from: '' });
      }),
      { numRuns: 200 },
    );
  });
});

describe('the default chart', () => {
  const DEFAULT = chart(
    readFileSync(join(__dirname, '../../../../infra/defaults/lifecycle.yaml'), 'utf8'),
    FEATURE_NAMES,
  );

  /** A customer with orders on these days; steps on orders and checks, as the service would. */
  function live(orderDays: readonly number[], untilDay: number): string[] {
    const path: string[] = [];
    let state: StageState | undefined;
    let dueAtMs: number | undefined;
    for (let day = 0; day <= untilDay; day++) {
      const isOrder = orderDays.includes(day);
      const known = orderDays.filter((order) => order <= day);
      if (known.length === 0) continue;
      for (let round = 0; round < 4; round++) {
        const nowMs = T0 + day * DAY + round;
        if (!(isOrder && round === 0) && (dueAtMs === undefined || dueAtMs > nowMs)) break;
        const result = stepStage(DEFAULT, state, {
          nowMs,
          values: toFeatures(known, day),
          cause: isOrder ? 'event' : 'timer',
          lastEventAtMs: T0 + Math.max(...known) * DAY,
        });
        ({ state } = result);
        dueAtMs = result.nextCheckAtMs;
        if (result.transition !== undefined) path.push(result.transition.to);
      }
    }
    return path;
  }

  function toFeatures(orders: readonly number[], day: number): (number | null)[] {
    const within = (days: number) => orders.filter((order) => order > day - days).length;
    const first = must(orders[0], 'first order');
    const last = must(orders.at(-1), 'last order');
    const gap = orders.length > 1 ? (last - first) / (orders.length - 1) : null;
    return [within(7), within(30), within(90), within(365), orders.length, day - last, day - first, gap];
  }

  it('walks a one-time buyer to churned', () => {
    expect(live([0], 800)).toEqual(['new', 'at_risk', 'dormant', 'churned']);
  });

  it('walks a growing customer to loyal', () => {
    expect(live([0, 20, 40, 60, 80, 100], 101)).toEqual(['new', 'activated', 'engaged', 'loyal']);
  });

  it('notices a loyal customer who goes quiet, and one who comes back', () => {
    const orders = [0, 20, 40, 60, 80, 100];
    expect(live([...orders, 165], 166).slice(3)).toEqual(['loyal', 'at_risk', 'loyal']);
    expect(live([...orders, 500], 501).slice(3)).toEqual(['loyal', 'at_risk', 'dormant', 'churned', 'won_back']);
  });
});
