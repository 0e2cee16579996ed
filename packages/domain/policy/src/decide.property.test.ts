import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import fc from 'fast-check';
import { inputs, NOON, policy } from './decide-test-kit.js';
import {
  type ActionDecision,
  CONTACTS_MAX,
  type ContactHistory,
  decideActions,
  PENDING_MAX,
  type Policy,
  releasePending,
} from './index.js';

/** A random history of one profile: records at random times, timers whenever one is due. */
interface Life {
  readonly decisions: readonly ActionDecision[];
  readonly histories: readonly ContactHistory[];
}

function live(
  inForce: Policy,
  steps: ReadonlyArray<{ gapMinutes: number; stage: string; entered: boolean; x: number }>,
): Life {
  const decisions: ActionDecision[] = [];
  const histories: ContactHistory[] = [];
  let history: ContactHistory | undefined;
  let retryAtMs: number | undefined;
  let nowMs = NOON;
  let stage = 'new';
  const take = (result: ReturnType<typeof decideActions>): void => {
    ({ history, retryAtMs } = result);
    expect(result.decisions.length).toBeLessThanOrEqual(PENDING_MAX);
    if (retryAtMs !== undefined) expect(retryAtMs).toBeGreaterThan(nowMs);
    decisions.push(...result.decisions);
    histories.push(result.history);
  };
  steps.forEach((step, index) => {
    const arrivalMs = nowMs + step.gapMinutes * 60_000;
    while (retryAtMs !== undefined && retryAtMs <= arrivalMs) {
      nowMs = retryAtMs;
      take(releasePending(inForce, inputs({ nowMs, stage, history })));
    }
    nowMs = arrivalMs;
    stage = step.stage;
    const transition = step.entered ? { from: 'prospect' } : undefined;
    const before = decisions.length;
    take(
      decideActions(
        inForce,
        inputs({ nowMs, stage, history, transition, causeId: `score:${index}`, features: [step.x] }),
      ),
    );
    expect(decisions.length - before).toBeLessThanOrEqual(1);
  });
  return { decisions, histories };
}

const BUSY = policy(`
quietHours: { from: "21:00", to: "08:00" }
timeZone: America/New_York
caps: [{ max: 4, per: 3d }, { max: 2, per: 1d }]
categories: { promo: { caps: [{ max: 2, per: 2d }] } }
channels:
  email: { caps: [{ max: 1, per: 1d }, { max: 2, per: 3d }] }
  push: { caps: [{ max: 3, per: 2d }] }
  in_app: { ignoresQuietHours: true }
strategies:
  a: { stages: [new], on: stage_entered, channel: email, template: a, cooldown: 6h, priority: 2 }
  b: { stages: [new, loyal], on: scored, channel: email, template: b, cooldown: 2h, when: features.x > 2 }
  c: { stages: [new, loyal], on: scored, channel: push, template: c, cooldown: 1h, category: promo, when: features.x > 1, priority: 1 }
  d: { stages: [loyal], on: scored, channel: in_app, template: d, cooldown: 30m, category: promo, caps: [{ max: 1, per: 4h }] }
`);
const randomSteps = fc.array(
  fc.record({
    gapMinutes: fc.oneof(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 0, max: 2_000 })),
    stage: fc.constantFrom('new', 'loyal'),
    entered: fc.boolean(),
    x: fc.integer({ min: 0, max: 4 }),
  }),
  { minLength: 20, maxLength: 150 },
);

describe('over random lives', () => {
  it('acts at most once for a cause, never twice with one id', () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const { decisions } = live(BUSY, steps);
        expect(new Set(decisions.map(({ causeId }) => causeId)).size).toBe(decisions.length);
        expect(new Set(decisions.map(({ actionId }) => actionId)).size).toBe(decisions.length);
      }),
    );
  });

  it('never exceeds a cap or a cooldown, and never disturbs in quiet hours', () => {
    let total = 0;
    fc.assert(
      fc.property(randomSteps, (steps) => {
        const { decisions } = live(BUSY, steps);
        total += decisions.length;
        for (const decision of decisions) {
          const within = (windowMs: number, counts: (other: ActionDecision) => boolean = () => true) =>
            decisions.filter(
              (other) =>
                counts(other) &&
                other.decidedAtMs > decision.decidedAtMs - windowMs &&
                other.decidedAtMs <= decision.decidedAtMs,
            ).length;
          for (const cap of BUSY.caps) expect(within(cap.windowMs)).toBeLessThanOrEqual(cap.max);
          for (const cap of BUSY.channels.get(decision.channel)?.caps ?? []) {
            expect(within(cap.windowMs, ({ channel }) => channel === decision.channel)).toBeLessThanOrEqual(cap.max);
          }
          const toStrategy = ({ strategy }: ActionDecision) => must(BUSY.strategies.get(strategy), 'strategy');
          const { cooldownMs, category, caps } = toStrategy(decision);
          for (const cap of caps) {
            expect(within(cap.windowMs, ({ strategy }) => strategy === decision.strategy)).toBeLessThanOrEqual(cap.max);
          }
          for (const cap of BUSY.categories.get(category ?? '')?.caps ?? []) {
            expect(within(cap.windowMs, (other) => toStrategy(other).category === category)).toBeLessThanOrEqual(
              cap.max,
            );
          }
          const same = decisions
            .filter(({ strategy }) => strategy === decision.strategy)
            .map(({ decidedAtMs }) => decidedAtMs);
          same.slice(1).forEach((atMs, index) => {
            expect(atMs - (same[index] ?? 0)).toBeGreaterThanOrEqual(cooldownMs);
          });
          expect(decision.expiresAtMs).toBeGreaterThan(decision.decidedAtMs);
          if (decision.channel !== 'in_app') {
            const hour = Number(
              new Intl.DateTimeFormat('en-GB', {
                timeZone: 'America/New_York',
                hour: '2-digit',
                hourCycle: 'h23',
              }).format(decision.decidedAtMs),
            );
            expect(hour).toBeGreaterThanOrEqual(8);
            expect(hour).toBeLessThan(21);
          }
        }
      }),
    );
    expect(total).toBeGreaterThan(100);
  });

  it('keeps a bounded history, and only for what caps still count', () => {
    fc.assert(
      fc.property(randomSteps, (steps) => {
        for (const history of live(BUSY, steps).histories) {
          expect(history.pending.length).toBeLessThanOrEqual(PENDING_MAX);
          expect(history.contacts.length).toBeLessThanOrEqual(Math.min(CONTACTS_MAX, 4));
          expect(Object.keys(history.lastUsedAtMs).length).toBeLessThanOrEqual(BUSY.strategies.size);
        }
      }),
    );
  });

  it('takes a full history for a reached cap instead of forgetting contacts', () => {
    const chatty = policy(`
channels: { push: { caps: [{ max: 60, per: 30d }] }, in_app: {} }
strategies:
  p: { stages: [new], on: scored, channel: push, template: p, cooldown: 0s, when: features.x > 1 }
  i: { stages: [new], on: scored, channel: in_app, template: i, cooldown: 0s, when: features.x < 1 }
`);
    const steps = Array.from({ length: 200 }, (_, index) => ({
      gapMinutes: 60,
      stage: 'new',
      entered: false,
      x: index % 2 === 0 ? 2 : 0,
    }));
    expect(live(chatty, steps).decisions).toHaveLength(CONTACTS_MAX);
  });
});
