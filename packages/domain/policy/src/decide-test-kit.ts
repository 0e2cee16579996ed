import { formatProblems } from '@perennial/expressions';
import { type DecisionInputs, type Policy, parsePolicy } from './index.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const NOON = Date.UTC(2025, 0, 15, 12);

export function policy(text: string): Policy {
  const parsed = parsePolicy(`version: 1\n${text}`, { fileName: 'policy.yaml', featureNames: ['x'] });
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  return parsed.value;
}

export const HEAD = `
quietHours: { from: "21:00", to: "08:00" }
caps: [{ max: 3, per: 7d }]
channels:
  email: { caps: [{ max: 2, per: 7d }] }
  push: {}
  in_app: { ignoresQuietHours: true }
`;
export const POLICY = policy(`${HEAD}
strategies:
  welcome: { stages: [new], on: stage_entered, channel: email, template: w, cooldown: 30d, priority: 9, expiry: 1d }
  nudge: { stages: [new], on: scored, channel: push, template: n, cooldown: 1d, when: features.x > 3, parameters: { points: 5 } }
  badge: { stages: [loyal], on: scored, channel: in_app, template: b, cooldown: 0s }
`);

export function inputs(more: Partial<DecisionInputs> = {}): DecisionInputs {
  return {
    namespace: 'live',
    profileKey: 'p1',
    stage: 'new',
    nowMs: NOON,
    history: undefined,
    timeZone: '',
    causeId: 'score:1',
    stageSinceMs: NOON,
    features: [10],
    lastEventAtMs: NOON,
    ...more,
  };
}
