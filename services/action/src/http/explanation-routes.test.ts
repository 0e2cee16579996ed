import { describe, expect, it } from '@jest/globals';
import { TEST_AUTHORIZATION } from '@perennial/access/testing';
import type { Rollout } from '@perennial/contracts';
import { compileFeatures, ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { ID_STRENGTHS } from '@perennial/identity';
import type { ReadStates } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createTestServer } from '@perennial/service-host/testing';
import { readPolicy } from '../artifacts.js';
import type { StoredAction } from '../joins.js';
import { addExplanationRoutes } from './explanation-routes.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const NIGHT = Date.UTC(2026, 0, 15, 22);
const spec = compileFeatures(ECOMMERCE_FEATURES);
const policy = readPolicy(
  `version: 1
quietHours: { from: "21:00", to: "08:00" }
channels: { push: {}, email: {} }
strategies:
  nudge: { stages: [new], on: scored, channel: push, template: n, cooldown: 2d, when: features.orders_count_all >= 1 }
  mail: { stages: [new], on: scored, channel: email, template: m, cooldown: 0s, when: segments.vip == true }
  hello: { stages: [new], on: stage_entered, channel: email, template: h, cooldown: 0s, priority: 5 }
  bye: { stages: [gone], on: scored, channel: email, template: b, cooldown: 0s }
`,
  { fileName: 'policy.yaml', spec },
);
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const toKey = (userId: string) => pseudonymizer.toProfileKey({ userId });
const ADA: StoredAction = {
  history: { contacts: [], lastUsedAtMs: { nudge: NOON - 86_400_000 }, pending: [] },
  stage: 'new',
  subject: Buffer.alloc(0),
  timeZone: '',
  modelHash: '',
  facts: undefined,
};
const to = { key: toKey('ada'), strength: ID_STRENGTHS.user, subject: Buffer.alloc(0) };
const MORNING = Date.UTC(2026, 0, 16, 8);
const WITHOUT_EMAIL = {
  contact: [{ channel: 'email', topic: '', state: 'withdrawn', atMs: 1 }],
  purposes: [],
  obstacles: [],
};
/** Since night something waits until the morning. */
const WAITING: StoredAction = {
  ...ADA,
  history: {
    ...ADA.history,
    pending: [
      {
        strategy: 'mail',
        causeId: 'score:1',
        event: undefined,
        causedAtMs: NIGHT,
        dueAtMs: MORNING,
        expiresAtMs: MORNING + 1,
        reasons: [],
      },
    ],
  },
};
const STORED = new Map<string, StoredAction>([
  [toKey('ada'), ADA],
  [toKey('waiting'), WAITING],
  [toKey('withdrawn'), { ...ADA, permissions: WITHOUT_EMAIL }],
  [toKey('phone'), { node: { kind: 'forwarder', to, sinceMs: 0 }, profile: undefined }],
]);
const ROLLOUT = { kind: 'policy', hash: 'h', number: 7 } as unknown as Rollout;

async function ask(userId: string, more: object = {}, inForce = new Map([['policy', ROLLOUT]])) {
  const server = createTestServer();
  const readStates: ReadStates<StoredAction> = async (keys) =>
    keys.map((key) => ({ state: STORED.get(key), logTimeMs: NOON, inForce }));
  const artifacts = { spec: async () => spec, policy: async () => policy };
  addExplanationRoutes(server, { readStates, pseudonymizer, artifacts, namespace: 'live' });
  const standing = {
    stage: 'new',
    stageSince: null,
    lastEventAt: null,
    timeZone: '',
    features: { orders_count_all: 2 },
    attributes: {},
    scores: null,
    segments: ['vip'],
  };
  const url = `/v1/explanations/${encodeURIComponent(userId)}`;
  return server.inject({ method: 'POST', url, headers: TEST_AUTHORIZATION, payload: { ...standing, ...more } });
}

describe('POST /v1/explanations/{userId}', () => {
  it('says what would be done now, and of every other strategy at which step it is dropped and why', async () => {
    for (const userId of ['ada', 'phone']) {
      expect((await ask(userId)).json()).toEqual({
        userId,
        policyVersion: 7,
        at: '2026-01-15T12:00:00.000Z',
        result: 'decided',
        action: {
          strategy: 'mail',
          reasons: ['is new', 'segments.vip = true'],
          dueAt: null,
          expiresAt: '2026-01-18T12:00:00.000Z',
        },
        nothing: null,
        steps: [
          {
            step: 'candidates',
            dropped: [
              { strategy: 'hello', reason: 'not_entered' },
              { strategy: 'bye', reason: 'other_stage' },
            ],
          },
          { step: 'eligible', dropped: [] },
          { step: 'reachable', dropped: [] },
          { step: 'suppressed', dropped: [{ strategy: 'nudge', reason: 'cooldown' }] },
          { step: 'arm', dropped: [] },
          { step: 'choice', dropped: [] },
          { step: 'timing', dropped: [] },
        ],
      });
    }
  });

  it('says why nothing would be done', async () => {
    const answer = (await ask('ada', { segments: null })).json();
    expect(answer).toMatchObject({
      result: 'suppressed',
      action: null,
      nothing: { step: 'suppressed', reason: 'cooldown' },
    });
    expect((await ask('bo', { stage: 'none', segments: null })).json().nothing.step).toBe('candidates');
  });

  it('says when a stage that were entered now would lead to something, after quiet hours', async () => {
    const late = { entered: true, lastEventAt: '2026-01-15T22:00:00.000Z' };
    expect((await ask('bo', late)).json()).toMatchObject({
      result: 'deferred',
      action: { strategy: 'hello', dueAt: '2026-01-16T08:00:00.000Z' },
    });
  });

  it('names what would wait, and nothing that waits since the same instant', async () => {
    const late = { entered: true, lastEventAt: '2026-01-15T22:00:00.000Z' };
    expect((await ask('waiting', late)).json()).toMatchObject({
      result: 'deferred',
      action: { strategy: 'hello', dueAt: '2026-01-16T08:00:00.000Z' },
    });
  });

  it('knows what the person does not allow', async () => {
    const answer = (await ask('withdrawn')).json();
    expect(answer).toMatchObject({ result: 'suppressed', action: null });
    const { dropped } = answer.steps.find(({ step }: { step: string }) => step === 'reachable');
    expect(dropped).toEqual([{ strategy: 'mail', reason: 'withdrawn' }]);
  });

  it('answers 404 without a policy, and 400 for what is no standing', async () => {
    expect((await ask('ada', {}, new Map())).statusCode).toBe(404);
    expect((await ask('ada', { stage: 5, features: [] })).statusCode).toBe(400);
  });
});
