import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { toUnitInterval } from '@perennial/kernel';
import { inputs, NOON, policy } from './decide-test-kit.js';
import { type DecisionResult, decideActions, type Policy, releasePending } from './index.js';

/** Every reason occurs: caps of all kinds, cooldowns, holdouts, quiet hours, and a choice by weight. */
const toBusy = (choice: string): Policy =>
  policy(`
quietHours: { from: "21:00", to: "08:00" }
timeZone: America/New_York
holdout: { share: 0.1, salt: golden }
choice: ${choice}
caps: [{ max: 4, per: 3d }, { max: 2, per: 1d }]
channels:
  email: { caps: [{ max: 1, per: 1d }, { max: 2, per: 3d }] }
  push: { caps: [{ max: 3, per: 2d }] }
  in_app: { ignoresQuietHours: true }
strategies:
  a: { stages: [new], on: stage_entered, channel: email, template: a, cooldown: 6h, weight: 2, holdout: 0.2 }
  b: { stages: [new, loyal], on: scored, channel: email, template: b, cooldown: 2h, when: features.x > 2, cost: 2 }
  c: { stages: [new, loyal], on: scored, channel: push, template: c, cooldown: 1h, when: features.x > 1, expiry: 4h }
  d: { stages: [loyal], on: scored, channel: in_app, template: d, cooldown: 30m, parameters: { points: 5 } }
  e: { stages: [loyal, new], on: scored, channel: push, template: e, cooldown: 3h, when: event.name == "Cart" }
`);

/** What published records and stored states hold of results, and which strategies were dropped. */
function toLine({ status, decisions, history, retryAtMs, suppressed }: DecisionResult): string {
  const { contacts, lastUsedAtMs, pending } = history;
  return JSON.stringify([
    status,
    decisions,
    contacts.map(({ atMs, channel }) => [atMs, channel]),
    lastUsedAtMs,
    pending,
    retryAtMs ?? null,
    suppressed.map(({ strategy }) => strategy).sort(),
  ]);
}

/** Lives of `profiles` profiles of `steps` records each, drawn by hash; timers fire when they are due. */
function live(inForce: Policy, size: { profiles: number; steps: number; featuresMax: readonly number[] }) {
  const hash = createHash('sha256');
  const counts: Record<string, number> = {};
  const stages = [...inForce.byStage.keys()];
  for (let profile = 0; profile < size.profiles; profile++) {
    const profileKey = `profile-${profile}`;
    let history: DecisionResult['history'] | undefined;
    let retryAtMs: number | undefined;
    let nowMs = NOON;
    let stage = '';
    let stageSinceMs = NOON;
    for (let step = 0; step < size.steps; step++) {
      const draw = (name: string) => toUnitInterval('golden', name, profileKey, String(step));
      const take = (result: DecisionResult): void => {
        ({ history, retryAtMs } = result);
        hash.update(toLine(result));
        counts[result.status] = (counts[result.status] ?? 0) + 1;
      };
      const features = size.featuresMax.map((max, index) => Math.floor(draw(`x${index}`) * (max + 1)));
      const arrivalMs = nowMs + Math.floor(draw('gap') ** 3 * 40 * 3_600_000);
      const known = { profileKey, features, timeZone: draw('zone') < 0.1 ? 'Asia/Tokyo' : '' };
      while (retryAtMs !== undefined && retryAtMs <= arrivalMs) {
        nowMs = retryAtMs;
        take(releasePending(inForce, inputs({ ...known, nowMs, stage, stageSinceMs, history, lastEventAtMs: nowMs })));
      }
      nowMs = arrivalMs;
      const next = draw('move') < 0.3 ? (stages[Math.floor(draw('stage') * stages.length)] ?? '') : stage;
      const transition = next === stage ? undefined : { from: stage };
      if (transition !== undefined) stageSinceMs = nowMs;
      stage = next;
      const cause = {
        causeId: `score:${step}`,
        transition,
        event: { type: 'track', name: draw('e') < 0.5 ? 'Cart' : '' },
      };
      take(
        decideActions(
          inForce,
          inputs({ ...known, ...cause, nowMs, stage, stageSinceMs, history, lastEventAtMs: nowMs }),
        ),
      );
    }
  }
  return { counts, digest: hash.digest('hex') };
}

describe('decisions, ids and histories stay what they were for a policy that uses no new key', () => {
  it.each([
    [
      'weighted',
      {
        counts: { decided: 2750, deferred: 930, no_candidate: 181, suppressed: 4890 },
        digest: '22d521b13b49012a8d10406469ec12555ad82ff2b65ec0036600cbf181420a64',
      },
    ],
    [
      'priority',
      {
        counts: { decided: 2677, deferred: 1000, no_candidate: 181, suppressed: 4937 },
        digest: '81b54b00e0952e4fe5d893825b4dc865a9dcdaa8356266fc8b7e4c76ade428c6',
      },
    ],
  ])('over busy lives, chosen %s', (choice, golden) => {
    expect(live(toBusy(choice), { profiles: 100, steps: 80, featuresMax: [4] })).toEqual(golden);
  });
});
