import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ActionDecided, Rollout, ScoreComputed } from '@perennial/contracts';
import { ScoreRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { AppError, must } from '@perennial/kernel';
import type { StepContext, StepItem } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import type { ActionState } from './domain/action-state.js';
import { createEvents } from './events.js';
import { type ActionProcessor, createActionProcessor, decodeScoreRecord } from './pipeline.js';
import { createPolicies } from './policies.js';

const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
const POLICY_FILE = readFileSync(join(__dirname, '../../../infra/defaults/policy.yaml'));
const IDENTITY = createPseudonymizer('a secret of more than thirty-two characters');
const KEY = IDENTITY.toProfileKey({ userId: 'user-1' });
const ROLLOUT: Rollout = { kind: 'policy', number: 3, hash: 'abc' };
const NOON = Date.UTC(2025, 0, 15, 12);
const NIGHT = Date.UTC(2025, 0, 15, 23);
const MORNING = Date.UTC(2025, 0, 16, 8);

function setUp(policyFile = POLICY_FILE) {
  const events = createEvents(
    createSilentLogger(),
    createMetrics({ service: 'action', namespace: 'live', processMetrics: false }),
  );
  const policies = createPolicies(async () => policyFile, events.conditionFailed);
  return {
    events,
    processor: createActionProcessor({ namespace: 'live', policies, specs: SPECS, pseudonymizer: IDENTITY, events }),
  };
}

function context(more: Partial<StepContext> = {}): StepContext {
  return {
    key: KEY,
    partition: 0,
    offset: 17,
    ordinal: 0,
    logTimeMs: 0,
    inForce: new Map([['policy', ROLLOUT]]),
    ...more,
  };
}

function score(asOfMs: number, more: Partial<ScoreComputed> = {}): ScoreComputed {
  return {
    modelHash: 'm1',
    purchaseProbability: 0.5,
    churnProbability: 0.5,
    expectedSpend: 10,
    stage: 'new',
    stageSinceMs: asOfMs,
    transition: undefined,
    features: {
      specHash: SPECS.initial.specHash,
      asOfMs,
      values: SPECS.initial.names.map(() => 1),
      lastEventAtMs: asOfMs,
      subject: IDENTITY.seal('user-1'),
      timeZone: '',
      event: undefined,
    },
    ...more,
  };
}

const ENTERED = { transition: { number: 2, from: 'prospect', to: 'new', cause: 'event', atMs: NOON, reasons: [] } };

async function run(processor: ActionProcessor, item: StepItem<ActionState, ScoreComputed>) {
  const [evidence] = await must(processor.prepare, 'prepare')([item]);
  return processor.step(item, evidence);
}

describe('the action processor', () => {
  it('turns a transition into an action that names the user, the policy and the cause', async () => {
    const { processor, events } = setUp();
    const { state, outputs } = await run(processor, {
      state: undefined,
      cause: { kind: 'record', input: score(NOON, ENTERED) },
      context: context(),
    });
    const [output] = outputs;
    expect(outputs).toHaveLength(1);
    expect(output?.topic).toBe('lifecycle.action.decided.v1');
    const data = JSON.parse(String(output?.value)) as ActionDecided;
    expect(data).toMatchObject({
      profileKey: KEY,
      userId: 'user-1',
      strategy: 'welcome',
      channel: 'email',
      stage: 'new',
      cause: { kind: 'transition', id: '2' },
      policyVersion: 3,
      modelHash: 'm1',
      decidedAt: '2025-01-15T12:00:00.000Z',
      expiresAt: '2025-01-18T12:00:00.000Z',
    });
    expect(output?.headers).toMatchObject({ ce_id: data.actionId, ce_type: 'lifecycle.action.decided.v1' });
    expect(state?.history.contacts).toEqual([{ atMs: NOON, channel: 'email' }]);
    expect(events.totals().results).toEqual({ decided: 1 });
  });

  it('puts an action off at night, and takes it at the end of quiet hours by a timer', async () => {
    const { processor } = setUp();
    const deferred = await run(processor, {
      state: undefined,
      cause: { kind: 'record', input: score(NIGHT, ENTERED) },
      context: context(),
    });
    expect(deferred.outputs).toEqual([]);
    const state = must(deferred.state, 'state');
    expect(processor.codec.timerAtMs(state)).toBe(MORNING);
    const released = await run(processor, {
      state: processor.codec.decode(processor.codec.encode(state)),
      cause: { kind: 'timer', dueAtMs: MORNING },
      context: context({ logTimeMs: MORNING + 500 }),
    });
    const data = JSON.parse(String(released.outputs[0]?.value)) as ActionDecided;
    expect(data).toMatchObject({ userId: 'user-1', strategy: 'welcome', cause: { kind: 'transition', id: '2' } });
    expect(processor.codec.timerAtMs(must(released.state, 'state'))).toBeUndefined();
  });

  it('knows the stage a profile is in when its time comes', async () => {
    const { processor } = setUp();
    const record = (input: ScoreComputed, state: ActionState | undefined) =>
      run(processor, { state, cause: { kind: 'record', input }, context: context() });
    const deferred = await record(score(NIGHT, ENTERED), undefined);
    const moved = await record(score(NIGHT + 1, { stage: 'churned' }), deferred.state);
    expect(moved.state).toMatchObject({ stage: 'churned' });
    const released = await run(processor, {
      state: moved.state,
      cause: { kind: 'timer', dueAtMs: MORNING },
      context: context({ logTimeMs: MORNING }),
    });
    expect(released.outputs).toEqual([]);
  });

  describe('a condition, when the time of what waited has come', () => {
    const quietly = Buffer.from(`version: 1
quietHours: { from: "21:00", to: "08:00" }
channels: { push: {} }
strategies:
  remind:
    { stages: [new], on: scored, channel: push, template: r, cooldown: 1d, when: features.orders_recency_days >= 7 && features.orders_recency_days < 7.7 && scores.churn > 0.4 }
`);
    const quiet = (asOfMs: number, recencyDays: number, churnProbability = 0.5) => {
      const values = SPECS.initial.names.map((name) => (name === 'orders_recency_days' ? recencyDays : Number.NaN));
      const features = { ...must(score(asOfMs).features, 'features'), values };
      return score(asOfMs, { features, churnProbability });
    };

    async function resultOf(...scores: ScoreComputed[]) {
      const { processor, events } = setUp(quietly);
      let state: ActionState | undefined;
      for (const input of scores) {
        const result = await run(processor, { state, cause: { kind: 'record', input }, context: context() });
        state = result.state && processor.codec.decode(processor.codec.encode(result.state));
      }
      expect(events.totals().results.deferred).toBe(1);
      const released = await run(processor, {
        state,
        cause: { kind: 'timer', dueAtMs: MORNING },
        context: context({ logTimeMs: MORNING }),
      });
      // Nothing waits any more, so nothing need be known.
      expect(released.state?.facts).toBeUndefined();
      return { actions: released.outputs.length, suppressed: events.totals().suppressed };
    }

    it('is tested again over what is known then', async () => {
      expect(await resultOf(quiet(NIGHT, 7))).toEqual({ actions: 1, suppressed: {} });
      const ordered = await resultOf(quiet(NIGHT, 7), quiet(NIGHT + 1, 0));
      // Once for the score in the night, once for what waited.
      expect(ordered).toEqual({ actions: 0, suppressed: { condition_false: 2 } });
      const rescored = await resultOf(quiet(NIGHT, 7), quiet(NIGHT + 1, 7, 0.1));
      expect(rescored).toEqual({ actions: 0, suppressed: { condition_false: 2 } });
    });

    it('reads what time alone has changed meanwhile', async () => {
      expect(await resultOf(quiet(NIGHT, 7.5))).toEqual({ actions: 0, suppressed: { condition_false: 1 } });
    });
  });

  it('names an anonymous profile by its key only', async () => {
    const { processor } = setUp();
    const key = IDENTITY.toProfileKey({ anonymousId: 'device-1' });
    const { outputs } = await run(processor, {
      state: undefined,
      cause: { kind: 'record', input: score(NOON, ENTERED) },
      context: context({ key }),
    });
    expect(JSON.parse(String(outputs[0]?.value))).toMatchObject({ profileKey: key, userId: null });
  });

  it.each([
    ['no_policy', {}, { inForce: new Map() }],
    ['no_stage', { stage: '' }, {}],
    ['no_candidate', { stage: 'unheard_of' }, {}],
    ['suppressed', { stage: 'prospect' }, {}],
  ] as const)('does nothing, counts %s and writes no state', async (result, input, more) => {
    const { processor, events } = setUp();
    const item = {
      state: undefined,
      cause: { kind: 'record', input: score(NOON, input) },
      context: context(more),
    } as const;
    expect(await run(processor, item)).toEqual({ state: undefined, outputs: [] });
    expect(events.totals().results).toEqual({ [result]: 1 });
  });

  it('reads controls, and refuses what it cannot judge', () => {
    const record = (value: Buffer | null, key: string | null = KEY) => ({
      topic: 't',
      partition: 0,
      offset: 1,
      timestampMs: 0,
      key: key === null ? null : Buffer.from(key),
      value,
      headers: {},
    });
    const encode = (value: ScoreRecord['record']) => Buffer.from(ScoreRecord.encode({ record: value }).finish());
    expect(decodeScoreRecord(record(encode({ $case: 'tick', value: { timeMs: 5 } }), null))).toEqual({
      kind: 'tick',
      timeMs: 5,
    });
    expect(decodeScoreRecord(record(encode({ $case: 'rollout', value: ROLLOUT }), null))).toMatchObject({
      kind: 'rollout',
      rollout: ROLLOUT,
    });
    expect(decodeScoreRecord(record(encode({ $case: 'computed', value: score(NOON) })))).toMatchObject({ key: KEY });
    for (const wrong of [
      record(null),
      record(Buffer.from('{"json": true}')),
      record(encode({ $case: 'computed', value: score(NOON) }), null),
      record(encode({ $case: 'computed', value: score(NOON, { features: undefined }) })),
    ]) {
      expect(() => decodeScoreRecord(wrong)).toThrow();
    }
  });
});

it('takes no vector of a spec that nobody registered', async () => {
  const { processor } = setUp();
  const features = { ...must(score(NOON).features, 'features'), specHash: 'f'.repeat(64) };
  const input = score(NOON, { features, ...ENTERED });
  await expect(
    run(processor, { state: undefined, cause: { kind: 'record', input }, context: context() }),
  ).rejects.toThrow('of which no artifact is registered');
});

describe('policies', () => {
  it('are loaded once, and again after a failure that was told as retriable', async () => {
    let loads = 0;
    const policies = createPolicies(
      async () => {
        loads++;
        if (loads === 1) throw new AppError('dependency_unavailable', 'postgres is away', { retriable: true });
        return POLICY_FILE;
      },
      () => undefined,
    );
    await expect(policies('h', SPECS.initial)).rejects.toMatchObject({ retriable: true });
    expect((await policies('h', SPECS.initial)).strategies.size).toBeGreaterThan(8);
    await policies('h', SPECS.initial);
    expect(loads).toBe(2);
  });

  it('are refused at rollout when their content is none, with what is wrong and where', async () => {
    const { processor } = setUp(Buffer.from('version: 7'));
    const refusal = await processor.loadRollout?.(ROLLOUT, new Map());
    expect(refusal?.reason).toContain('policy abc is refused: policy.yaml:1:1');
    expect(await setUp().processor.loadRollout?.(ROLLOUT, new Map())).toBeUndefined();
  });
});
