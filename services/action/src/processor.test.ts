import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { ActionDecided, Rollout, ScoreComputed } from '@perennial/contracts';
import { ScoreRecord, toAttributes } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import type { StepContext, StepItem } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createActionArtifacts } from './artifacts.js';
import type { ActionState } from './domain/action-state.js';
import { type ActionProcessor, createActionProcessor, decodeScoreRecord } from './processor.js';
import { createActionTelemetry } from './telemetry.js';

const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
const POLICY_FILE = readFileSync(join(__dirname, '../../../infra/defaults/policy.yaml'));
const IDENTITY = createPseudonymizer('a secret of more than thirty-two characters');
const KEY = IDENTITY.toProfileKey({ userId: 'user-1' });
const ROLLOUT: Rollout = { kind: 'policy', number: 3, hash: 'abc' };
const NOON = Date.UTC(2025, 0, 15, 12);
const NIGHT = Date.UTC(2025, 0, 15, 23);
const MORNING = Date.UTC(2025, 0, 16, 8);

/** Models with other heads than the default one, by the hash that scores name. */
const MANIFESTS = new Map([
  ['m1', toManifest('purchase', 'churn', 'expected_spend')],
  ['m2', toManifest('renewal')],
  ['m3', toManifest('churn', 'a', 'b', 'renewal', 'c')],
]);

function toManifest(...names: string[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      formatVersion: 2,
      name: names.join('_'),
      kind: 'tabular',
      file: { name: 'model.onnx', sha256: 'a'.repeat(64) },
      inputs: [{ name: 'features', dtype: 'float32', shape: [null, 1] }],
      outputs: [{ name: 'all', dtype: 'float32', shape: [null, names.length] }],
      features: [{ name: 'visits_7d', hash: 'a'.repeat(64) }],
      heads: names.map((name, column) => ({ name, output: 'all', column, meaning: name, kind: 'number' })),
    }),
  );
}

function setUp(policyFile = POLICY_FILE) {
  const telemetry = createActionTelemetry(
    createSilentLogger(),
    createMetrics({ service: 'action', namespace: 'live', processMetrics: false }),
  );
  const store = {
    list: async () => [],
    load: async (kind: string, hash: string) => (kind === 'policy' ? policyFile : must(MANIFESTS.get(hash), hash)),
  };
  const artifacts = createActionArtifacts(store, { specs: SPECS, telemetry });
  const deps = { namespace: 'live', artifacts, specs: SPECS, pseudonymizer: IDENTITY, telemetry };
  return { telemetry, processor: createActionProcessor(deps) };
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
    scores: [0.5, 0.5, 10],
    stage: 'new',
    stageSinceMs: asOfMs,
    transition: undefined,
    segments: undefined,
    features: {
      specHash: SPECS.initial.specHash,
      asOfMs,
      values: SPECS.initial.names.map(() => 1),
      lastEventAtMs: asOfMs,
      subject: IDENTITY.seal('user-1'),
      timeZone: '',
      attributes: [],
      event: undefined,
    },
    ...more,
  };
}

const ENTERED = { transition: { number: 2, from: 'prospect', to: 'new', cause: 'event', atMs: NOON, reasons: [] } };

async function run(processor: ActionProcessor, item: StepItem<ActionState, ScoreComputed>) {
  const [evidence] = await must(processor.prepare, 'prepare')([item]);
  return processor.step(item, must(evidence, 'evidence'));
}

describe('the action processor', () => {
  it('turns a transition into an action that names the user, the policy and the cause', async () => {
    const { processor, telemetry } = setUp();
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
      scores: { purchase: 0.5, churn: 0.5, expected_spend: 10 },
      decidedAt: '2025-01-15T12:00:00.000Z',
      expiresAt: '2025-01-18T12:00:00.000Z',
    });
    expect(output?.headers).toMatchObject({ ce_id: data.actionId, ce_type: 'lifecycle.action.decided.v1' });
    expect(state?.history.contacts).toEqual([{ atMs: NOON, channel: 'email', strategy: 'welcome' }]);
    expect(telemetry.totals().results).toEqual({ decided: 1 });
  });

  it('says what an action is about as far as its strategy does, and nothing where it does not', async () => {
    const item = (): StepItem<ActionState, ScoreComputed> => ({
      state: undefined,
      cause: { kind: 'record', input: score(NOON, ENTERED) },
      context: context(),
    });
    const decide = async (keys: string) => {
      const head = 'version: 1\ncategories: { promo: {} }\nchannels: { email: {} }\n';
      const text = `${head}strategies:\n  s: { stages: [new], on: scored, channel: email, template: t, cooldown: 1d${keys} }\n`;
      const { outputs } = await run(setUp(Buffer.from(text)).processor, item());
      return JSON.parse(String(outputs[0]?.value)) as ActionDecided;
    };
    expect(await decide(', category: promo, topic: offers, purpose: marketing')).toMatchObject({
      category: 'promo',
      topic: 'offers',
      purpose: 'marketing',
    });
    expect(await decide(', topic: offers')).toMatchObject({ topic: 'offers' });
    const plain = await decide('');
    for (const key of ['category', 'topic', 'purpose']) expect(plain).not.toHaveProperty(key);
  });

  it('reads traits in conditions, when it decides and when it releases what waited', async () => {
    const attributes = [{ name: 'traits.plan', source: 'trait' as const, of: 'plan', kind: 'text' as const }];
    const spec = SPECS.add('traits', ECOMMERCE_FEATURES, { attributes });
    const policy = POLICY_FILE.toString('utf8').replace(/( {2}welcome:\n)/, '$1    when: traits.plan == "pro"\n');
    const { processor } = setUp(Buffer.from(policy));
    const inForce = new Map([...context().inForce, ['features', { kind: 'features', number: 1, hash: 'traits' }]]);
    const decide = (atMs: number, plan: string) => {
      const { features, ...computed } = score(atMs, ENTERED);
      const said = { ...must(features, 'features'), specHash: spec.specHash, attributes: toAttributes([plan]) };
      const input = { ...computed, features: said };
      return run(processor, { state: undefined, cause: { kind: 'record', input }, context: context({ inForce }) });
    };
    expect((await decide(NOON, 'free')).outputs).toEqual([]);
    const { outputs } = await decide(NOON, 'pro');
    expect(JSON.parse(String(outputs[0]?.value)).reasons).toContain('traits.plan = pro');
    const { state } = await decide(NIGHT, 'pro');
    const released = await run(processor, {
      state: processor.codec.decode(processor.codec.encode(must(state, 'a state'))),
      cause: { kind: 'timer', dueAtMs: MORNING },
      context: context({ logTimeMs: MORNING, inForce }),
    });
    expect(released.outputs).toHaveLength(1);
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
    const quiet = (asOfMs: number, recencyDays: number, churn = 0.5) => {
      const values = SPECS.initial.names.map((name) => (name === 'orders_recency_days' ? recencyDays : Number.NaN));
      const features = { ...must(score(asOfMs).features, 'features'), values };
      return score(asOfMs, { features, scores: [1 - churn, churn, 10] });
    };

    async function resultOf(...scores: ScoreComputed[]) {
      const { processor, telemetry } = setUp(quietly);
      let state: ActionState | undefined;
      for (const input of scores) {
        const result = await run(processor, { state, cause: { kind: 'record', input }, context: context() });
        state = result.state && processor.codec.decode(processor.codec.encode(result.state));
      }
      expect(telemetry.totals().results.deferred).toBe(1);
      const released = await run(processor, {
        state,
        cause: { kind: 'timer', dueAtMs: MORNING },
        context: context({ logTimeMs: MORNING }),
      });
      // Nothing waits any more, so no context is kept.
      expect(released.state?.facts).toBeUndefined();
      return { actions: released.outputs.length, suppressed: telemetry.totals().suppressed };
    }

    it('is tested again over what is known then', async () => {
      expect(await resultOf(quiet(NIGHT, 7))).toEqual({ actions: 1, suppressed: {} });
      const ordered = await resultOf(quiet(NIGHT, 7), quiet(NIGHT + 1, 0));
      // Once for the score at night, once for the waiting action.
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
    const { processor, telemetry } = setUp();
    const item = {
      state: undefined,
      cause: { kind: 'record', input: score(NOON, input) },
      context: context(more),
    } as const;
    expect(await run(processor, item)).toEqual({ state: undefined, outputs: [] });
    expect(telemetry.totals().results).toEqual({ [result]: 1 });
  });

  it('reads controls, and rejects what it cannot judge', () => {
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

describe('heads of a model', () => {
  const byHeads = Buffer.from(`version: 1
channels: { push: {} }
strategies:
  renew: { stages: [new], on: scored, channel: push, template: r, cooldown: 1d, when: scores.renewal < 0.5, priority: 2 }
  keep: { stages: [new], on: scored, channel: push, template: k, cooldown: 1d, when: scores.churn > 0.4 }
`);
  const decide = async (more: Partial<ScoreComputed>) => {
    const item = { state: undefined, cause: { kind: 'record', input: score(NOON, more) }, context: context() } as const;
    const { outputs } = await run(setUp(byHeads).processor, item);
    return outputs.map(({ value }) => JSON.parse(String(value)) as ActionDecided);
  };

  it.each([
    ['of one head', { modelHash: 'm2', scores: [0.25] }, 'renew', { renewal: 0.25 }],
    [
      'of five',
      { modelHash: 'm3', scores: [0.5, 1, 2, 0.75, 3] },
      'keep',
      { churn: 0.5, a: 1, b: 2, renewal: 0.75, c: 3 },
    ],
    ['of those that ship', {}, 'keep', { purchase: 0.5, churn: 0.5, expected_spend: 10 }],
  ])('are found by their names in scores %s', async (_, more, strategy, scores) => {
    expect(await decide(more)).toMatchObject([{ strategy, scores }]);
  });

  it('are missing without a model', async () => {
    expect(await decide({ modelHash: '', scores: [] })).toEqual([]);
  });

  it('are as many as the scores: others are for nobody', async () => {
    await expect(decide({ modelHash: 'm2', scores: [0.25, 1] })).rejects.toMatchObject({ code: 'contract_violation' });
  });

  const toModel = (number: number, hash: string): Rollout => ({ kind: 'model', number, hash });

  it('must be there for a policy that reads them', async () => {
    const { processor } = setUp(byHeads);
    const rollOut = (model: Rollout) => processor.loadRollout?.(ROLLOUT, new Map([['model', model]]));
    expect(await rollOut(toModel(7, 'm2'))).toEqual({
      reason: 'policy 3 cannot come into force: it reads scores.churn, which model 7 does not have',
    });
    expect(await rollOut(toModel(8, 'm3'))).toBeUndefined();
    expect(await processor.loadRollout?.(ROLLOUT, new Map())).toBeUndefined();
    const both = new Map([
      ['model', toModel(7, 'm2')],
      ['policy', ROLLOUT],
    ]);
    expect(await processor.loadRollout?.(ROLLOUT, both)).toBeUndefined();
  });

  it('that a new model lacks are reported, for its scores come in any case', async () => {
    const { processor, telemetry } = setUp(byHeads);
    const found: unknown[] = [];
    telemetry.headsMissing = (missing) => void found.push(missing);
    const rollOut = (model: Rollout) => processor.loadRollout?.(model, new Map([['policy', ROLLOUT]]));
    expect(await rollOut(toModel(8, 'm3'))).toBeUndefined();
    expect(found).toEqual([]);
    expect(await rollOut(toModel(9, 'm1'))).toBeUndefined();
    expect(found).toEqual([{ policy: 3, model: 9, missing: 'scores.renewal' }]);
  });
});

describe('policies', () => {
  it('are invalid at rollout when their bytes are none, with what is wrong and where', async () => {
    const { processor } = setUp(Buffer.from('version: 7'));
    const rejected = await processor.loadRollout?.(ROLLOUT, new Map());
    expect(rejected?.reason).toContain('policy abc is invalid: policy.yaml:1:1');
    expect(await setUp().processor.loadRollout?.(ROLLOUT, new Map())).toBeUndefined();
  });
});
