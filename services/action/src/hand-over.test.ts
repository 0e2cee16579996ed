import { describe, expect, it } from '@jest/globals';
import { type ActionCancelled, type ActionChanged, ScoreRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { toParts } from '@perennial/identity';
import { must } from '@perennial/kernel';
import { EMPTY_HISTORY, NO_PERMISSIONS } from '@perennial/policy';
import { createPseudonymizer } from '@perennial/privacy';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createActionArtifacts } from './artifacts.js';
import { type ActionState, actionStates } from './domain/action-state.js';
import { withJoins } from './joins.js';
import { createActionProcessor } from './processor.js';
import { createLifePublisher } from './report-step.js';
import { createActionTelemetry } from './telemetry.js';

const NOON = Date.UTC(2025, 0, 15, 12);
const HOUR = 3_600_000;
const IDENTITY = createPseudonymizer('a secret that is long enough for tests');
const SUBJECT = IDENTITY.seal('anna');
const KEY = IDENTITY.toProfileKey({ userId: 'anna' });
const POLICY = Buffer.from(`version: 1
channels: { email: {} }
categories: { news: {} }
strategies:
  news: { stages: [new], on: scored, channel: email, template: n, cooldown: 1d, category: news }
`);

const permission = (state: string, topic = '') => {
  return { ...NO_PERMISSIONS, contact: [{ channel: 'email', topic, state, atMs: NOON - HOUR }] };
};
const life = { actionId: 'a', strategy: 'news', channel: 'email', decidedAtMs: NOON - HOUR, outcomes: 0 };
const PUBLISHED = { lives: [{ ...life, expiresAtMs: NOON + HOUR }] };

function toState(more: Partial<ActionState>): ActionState {
  const known = { stage: 'new', subject: SUBJECT, timeZone: '', modelHash: '', facts: undefined };
  return { history: EMPTY_HISTORY, ...known, ...more };
}

async function handOver(given: ActionState, state: ActionState | undefined) {
  const metrics = createMetrics({ service: 'action', namespace: 'live', processMetrics: false });
  const telemetry = createActionTelemetry(createSilentLogger(), metrics);
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const artifacts = createActionArtifacts({ list: async () => [], load: async () => POLICY }, { specs, telemetry });
  const deps = { namespace: 'live', artifacts, specs, pseudonymizer: IDENTITY, telemetry };
  const definition = withJoins(createActionProcessor(deps), createLifePublisher(deps));
  const self = { key: KEY, strength: 240, subject: SUBJECT };
  const value = { self, from: 'device', members: [], state: actionStates.encode(given) };
  const bytes = Buffer.from(ScoreRecord.encode({ record: { $case: 'handOver', value } }).finish());
  const decoded = definition.decode({ key: Buffer.from(KEY), value: bytes } as never);
  if (decoded.kind !== 'record') throw new Error('no record of a profile');
  const inForce = new Map([['policy', { kind: 'policy', number: 3, hash: 'abc' }]]);
  const context = { key: KEY, partition: 0, offset: 1, ordinal: 0, logTimeMs: NOON, inForce };
  const item = { state, cause: { kind: 'record', input: decoded.input }, context } as const;
  const [evidence] = await must(definition.prepare, 'prepare')([item]);
  const result = definition.step(item, evidence);
  const read = <T>(what: string) =>
    result.outputs
      .filter(({ topic }) => topic === `lifecycle.action.${what}.v1`)
      .map((output) => JSON.parse(String(output.value)) as T);
  return {
    state: toParts(result.state).profile,
    changed: read<ActionChanged>('changed'),
    cancelled: read<ActionCancelled>('cancelled'),
  };
}

describe('what is handed over', () => {
  it.each([
    ['joins a person who withdrew', toState(PUBLISHED), toState({ permissions: permission('withdrawn') })],
    ['is of a person who withdrew', toState({ permissions: permission('withdrawn') }), toState(PUBLISHED)],
    ['is of one who withdrew the topic', toState({ permissions: permission('withdrawn', 'news') }), toState(PUBLISHED)],
  ])('stops what was published, where it %s, once', async (_, given, state) => {
    const joined = await handOver(given, state);
    expect(joined.cancelled).toEqual([
      {
        actionId: 'a',
        profileKey: KEY,
        userId: 'anna',
        strategy: 'news',
        channel: 'email',
        reason: 'withdrawn',
        cancelledAt: new Date(NOON).toISOString(),
      },
    ]);
    expect(joined.changed).toMatchObject([{ actionId: 'a', outcome: 'cancelled', state: 'cancelled', known: true }]);
    expect((await handOver(given, joined.state)).cancelled).toEqual([]);
  });

  it('stops nothing that both allow, and nothing of another topic', async () => {
    for (const permissions of [permission('granted'), permission('withdrawn', 'offers')]) {
      const { cancelled, changed } = await handOver(toState(PUBLISHED), toState({ permissions }));
      expect([cancelled, changed]).toEqual([[], []]);
    }
  });
});
