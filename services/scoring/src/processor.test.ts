import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FeaturesUpdated, Rollout, StageChanged } from '@perennial/contracts';
import { FeatureRecord, ScoreRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must, toSha256 } from '@perennial/kernel';
import type { Cause, StepItem, StepResult } from '@perennial/keyed-processor';
import { toCanonicalManifest } from '@perennial/model-manifest';
import { loadModelHere } from '@perennial/onnx';
import { createPseudonymizer } from '@perennial/privacy';
import { createScoringArtifacts, type ScoringArtifacts } from './artifacts.js';
import type { ScoringState } from './domain/state.js';
import { createScoringProcessor, type ScoringProcessor } from './processor.js';
import { readModelFolder } from './scoring-model.js';
import type { ScoringTelemetry } from './telemetry.js';

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const MODEL_FOLDER = join(__dirname, '../../../trainer/models/default');
const DAY_MS = 86_400_000;
const T0 = 1_700_000_000_000;
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const KEY = pseudonymizer.toProfileKey({ userId: 'ada' });

const CHART = `version: 1
name: test
initial: prospect
stages:
  prospect:
    transitions:
      - to: active
        when: features.orders_count_all >= 1
        reason: First order
  active:
    transitions:
      - to: gone
        absence: 60d
        when: scores.churn > 0.3
        reason: Silent, and likely to stay so
  gone: {}
`;

const registered = new Map<string, Buffer>();
const batches: number[] = [];
const telemetry: ScoringTelemetry = {
  modelLoaded: () => undefined,
  conditionFailed: () => undefined,
  rowFailed: () => undefined,
  modelProcessLost: () => undefined,
  timeInference: (rows, run) => {
    batches.push(rows);
    return run();
  },
  transitionsStored: () => undefined,
};

let artifacts: ScoringArtifacts;
let definition: ScoringProcessor;
let both: ReadonlyMap<string, Rollout>;

function register(kind: string, content: Buffer): Rollout {
  const hash = toSha256(content);
  registered.set(hash, content);
  return { kind, number: 4, hash };
}

async function registerModel(folder: string): Promise<Rollout> {
  const { manifest, file } = await readModelFolder(folder);
  register('model-file', file);
  return register('model', toCanonicalManifest(manifest));
}

beforeAll(async () => {
  const model = await registerModel(MODEL_FOLDER);
  const lifecycle = register('lifecycle', Buffer.from(CHART));
  both = new Map([
    ['model', model],
    ['lifecycle', lifecycle],
  ]);
  const store = { list: async () => [], load: async (_: string, hash: string) => must(registered.get(hash), hash) };
  artifacts = createScoringArtifacts(store, {
    specs,
    loadGraph: (file, graph) => loadModelHere(file, graph, { providers: ['cpu'] }),
    onModelLoaded: () => undefined,
    onConditionError: () => undefined,
  });
  definition = createScoringProcessor({ namespace: 'live', artifacts, specs, pseudonymizer, telemetry });
  await definition.loadRollout?.(model, new Map());
  await definition.loadRollout?.(lifecycle, new Map());
});

/** The default manifest with some fields replaced. */
async function toManifest(changes: Record<string, unknown>): Promise<Buffer> {
  const { manifest } = await readModelFolder(MODEL_FOLDER);
  return toCanonicalManifest(
    Buffer.from(JSON.stringify({ ...(JSON.parse(manifest.toString()) as object), ...changes })),
  );
}

function toValues(known: Record<string, number>): number[] {
  return specs.initial.names.map((name) => known[name] ?? (name.endsWith('_days') ? Number.NaN : 0));
}

const BOUGHT = toValues({
  orders_count_90d: 1,
  orders_count_365d: 1,
  orders_count_all: 1,
  orders_revenue_sum_all: 30,
  orders_recency_days: 0,
  orders_tenure_days: 0,
  events_count_all: 1,
});

const VISITED = toValues({ events_count_all: 1 });

function createUpdate(changes: Partial<FeaturesUpdated> = {}): FeaturesUpdated {
  return {
    specHash: specs.initial.specHash,
    asOfMs: T0,
    values: BOUGHT,
    lastEventAtMs: T0,
    subject: pseudonymizer.seal('ada'),
    timeZone: 'Europe/Berlin',
    attributes: [],
    event: { messageId: 'm', type: 'track', name: 'Order Completed', timestampMs: T0, value: 30 },
    ...changes,
  };
}

interface Situation {
  readonly cause: Cause<FeaturesUpdated>;
  readonly state?: ScoringState | undefined;
  readonly inForce?: ReadonlyMap<string, Rollout>;
  readonly logTimeMs?: number;
  readonly key?: string;
}

function toItem({
  cause,
  state,
  inForce = both,
  logTimeMs = 0,
  key = KEY,
}: Situation): StepItem<ScoringState, FeaturesUpdated> {
  return { state, cause, context: { key, partition: 0, offset: 7, ordinal: 0, logTimeMs, inForce } };
}

async function step(situation: Situation): Promise<StepResult<ScoringState>> {
  const item = toItem(situation);
  const evidence = await definition.prepare?.([item]);
  return definition.step(item, must(evidence?.[0], 'evidence'));
}

function readScore(result: StepResult<ScoringState>) {
  const { record } = ScoreRecord.decode(must(result.outputs[0], 'score').value);
  if (record?.$case !== 'computed') throw new Error('no score');
  return record.value;
}

function churnOf(result: StepResult<ScoringState>): number | undefined {
  return result.state?.scores?.values[1];
}

function readEdge(result: StepResult<ScoringState>): StageChanged {
  return JSON.parse(must(result.outputs[1], 'edge').value.toString()) as StageChanged;
}

const record = (changes?: Partial<FeaturesUpdated>): Cause<FeaturesUpdated> => ({
  kind: 'record',
  input: createUpdate(changes),
});
const timer = (dueAtMs: number): Cause<FeaturesUpdated> => ({ kind: 'timer', dueAtMs });

describe('step', () => {
  it('passes a vector through with an empty stage while nothing is in force', async () => {
    const result = await step({ cause: record(), inForce: new Map() });
    expect(result.outputs).toHaveLength(1);
    expect(readScore(result)).toMatchObject({ modelHash: '', stage: '', transition: undefined });
    expect(result.state).toMatchObject({ stage: undefined, scores: undefined, nextCheckAtMs: undefined });
  });

  it('scores without a chart, and moves stages without a model', async () => {
    const model = must(both.get('model'), 'model');
    const scored = readScore(await step({ cause: record(), inForce: new Map([['model', model]]) }));
    expect(scored.modelHash).toBe(model.hash);
    expect(scored.stage).toBe('');
    const [purchase, churn, spend] = scored.scores;
    expect(must(purchase, 'purchase') + must(churn, 'churn')).toBeCloseTo(1, 5);
    expect(spend).toBeGreaterThan(0);

    const lifecycle = must(both.get('lifecycle'), 'lifecycle');
    const staged = await step({ cause: record(), inForce: new Map([['lifecycle', lifecycle]]) });
    expect(readScore(staged)).toMatchObject({ modelHash: '', stage: 'active' });
  });

  it('puts a new profile into the initial stage', async () => {
    const result = await step({ cause: record({ values: VISITED }) });
    expect(result.state?.stage).toEqual({ stage: 'prospect', sinceMs: T0, number: 1 });
    expect(result.state?.nextCheckAtMs).toBeUndefined();
    // The model's assumption about prospects: they buy now and then, and cannot leave.
    expect(churnOf(result)).toBe(0);
    expect(readScore(result).transition).toMatchObject({ number: 1, from: '', to: 'prospect', cause: 'event' });
    expect(result.outputs.map(({ topic }) => topic)).toEqual([
      'lifecycle.score.computed.v1',
      'lifecycle.stage.changed.v1',
    ]);
    expect(readEdge(result)).toMatchObject({
      profileKey: KEY,
      userId: 'ada',
      number: 1,
      from: null,
      to: 'prospect',
      lifecycleVersion: 4,
      modelHash: both.get('model')?.hash,
      scores: { purchase: expect.closeTo(0.05), churn: 0, expected_spend: expect.any(Number) },
    });
    expect(result.outputs[1]?.headers).toMatchObject({
      ce_type: 'lifecycle.stage.changed.v1',
      ce_source: '/perennial/live/scoring',
      ce_subject: KEY,
      ce_time: '2023-11-14T22:13:20.000Z',
    });
  });

  it('names the user only of a profile that is keyed by a user', async () => {
    const key = pseudonymizer.toProfileKey({ anonymousId: 'ada' });
    expect(readEdge(await step({ cause: record(), key })).userId).toBeNull();
    expect(readEdge(await step({ cause: record({ subject: Buffer.alloc(0) }), key })).userId).toBeNull();
  });

  it('moves by events and timers, numbers on, and is silent when a timer moves nothing', async () => {
    const first = await step({ cause: record({ values: VISITED }) });
    const second = await step({ cause: record({ asOfMs: T0 + 1_000 }), state: first.state });
    expect(readEdge(second)).toMatchObject({ number: 2, from: 'prospect', to: 'active', cause: 'event' });
    expect(second.state?.nextCheckAtMs).toBe(T0 + 60 * DAY_MS);

    const early = await step({ cause: timer(T0 + 2), state: second.state, logTimeMs: T0 + 30 * DAY_MS });
    expect(early.outputs).toEqual([]);
    expect(early.state).toMatchObject({ asOfMs: T0 + 30 * DAY_MS, nextCheckAtMs: T0 + 60 * DAY_MS });

    const third = await step({ cause: timer(T0 + 60 * DAY_MS), state: early.state, logTimeMs: T0 + 60 * DAY_MS });
    expect(readEdge(third)).toMatchObject({ number: 3, from: 'active', to: 'gone', cause: 'timer' });
    // Recency changes with the clock, and the model reads it.
    const recency = specs.initial.names.indexOf('orders_recency_days');
    expect(readScore(third).features?.values[recency]).toBe((60 * DAY_MS - 1_000) / DAY_MS);
    expect(churnOf(third)).not.toBe(churnOf(second));
  });

  it('tells a window that moved from an event', async () => {
    const first = await step({ cause: record({ values: VISITED }) });
    const second = await step({ cause: record({ event: undefined, asOfMs: T0 + DAY_MS }), state: first.state });
    expect(readEdge(second)).toMatchObject({ number: 2, to: 'active', cause: 'timer' });
  });

  // Action identifies the cause of a score without an event by the time of the vector.
  it('keeps the time of a vector that is not behind', async () => {
    const first = await step({ cause: record({ event: undefined }) });
    const woken = await step({ cause: timer(T0 + 5), state: first.state, logTimeMs: T0 + 5 });
    const second = await step({
      cause: record({ event: undefined, asOfMs: T0 + 7 }),
      state: woken.state,
      logTimeMs: T0 + 6,
    });
    expect([first, second].map((result) => readScore(result).features?.asOfMs)).toEqual([T0, T0 + 7]);
  });

  it('never goes back in time', async () => {
    const first = await step({ cause: record({ asOfMs: T0 + DAY_MS }) });
    const second = await step({ cause: record({ asOfMs: T0 }), state: first.state });
    expect(second.state?.asOfMs).toBe(T0 + DAY_MS);
    expect(readScore(second).features?.asOfMs).toBe(T0 + DAY_MS);
  });

  it('moves a vector to log time when that is ahead', async () => {
    const { state } = await step({ cause: record(), logTimeMs: T0 + 2 * DAY_MS });
    expect(state?.asOfMs).toBe(T0 + 2 * DAY_MS);
    expect(state?.values[specs.initial.names.indexOf('orders_tenure_days')]).toBe(2);
  });

  it('gives the same bytes for the same item, alone and in a batch', async () => {
    const items = Array.from({ length: 40 }, (_, index) =>
      toItem({ cause: record({ values: BOUGHT.map((value) => value * (index + 1)) }) }),
    );
    batches.length = 0;
    const evidence = await definition.prepare?.(items);
    expect(batches).toEqual([40]);
    for (const [index, item] of items.entries()) {
      const alone = await definition.prepare?.([item]);
      const inBatch = definition.step(item, must(evidence?.[index], 'evidence'));
      expect(inBatch.outputs).toEqual(definition.step(item, must(alone?.[0], 'evidence')).outputs);
    }
  });

  it('does nothing for a timer whose state is gone', async () => {
    expect(await step({ cause: timer(T0), state: undefined })).toEqual({ state: undefined, outputs: [] });
  });
});

describe('a rollout', () => {
  it('ignores kinds of others', async () => {
    await definition.loadRollout?.({ kind: 'policy', number: 1, hash: 'x' }, new Map());
  });

  it('waits for the file that a manifest names', async () => {
    const file = { name: 'model.onnx', sha256: 'f'.repeat(64) };
    const rollout = register('model', await toManifest({ file }));
    await expect(artifacts.loadRollout(rollout, new Map())).rejects.toMatchObject({
      retriable: true,
      code: 'dependency_unavailable',
    });
  });

  it('stalls, to be retried, when the artifact is not registered', async () => {
    const rollout = { kind: 'model', number: 1, hash: 'nothing' };
    await expect(artifacts.loadRollout(rollout, new Map())).rejects.toMatchObject({
      retriable: true,
      code: 'dependency_unavailable',
    });
  });

  it.each([
    ['is no model', async () => register('model', Buffer.from('junk')), 'not a JSON object'],
    ['is of another kind', async () => register('model', await toManifest({ kind: 'x' })), 'kind must be "tabular"'],
    ['is no chart', async () => register('lifecycle', Buffer.from('version: 1\nstages: {}')), 'lifecycle.yaml:1:1'],
  ])('rejects an artifact that %s, each time with the same words', async (_, make, reason) => {
    const rejected = await definition.loadRollout?.(await make(), new Map());
    expect(rejected?.reason).toContain(reason);
    expect(await definition.loadRollout?.(await make(), new Map())).toEqual(rejected);
  });

  it('tries again after a failure', async () => {
    const content = Buffer.from(readFileSync(join(__dirname, '../../../infra/defaults/lifecycle.yaml')));
    const rollout = { kind: 'lifecycle', number: 2, hash: toSha256(content) };
    await expect(artifacts.loadRollout(rollout, new Map())).rejects.toThrow('cannot be used');
    registered.set(rollout.hash, content);
    await artifacts.loadRollout(rollout, new Map());
  });
});

describe('decode', () => {
  const toRecord = (value: Buffer, key: string | null = KEY) => ({
    topic: 't',
    partition: 0,
    offset: 0,
    timestampMs: 0,
    key: key === null ? null : Buffer.from(key),
    value,
    headers: {},
  });
  const encode = (update: FeaturesUpdated) =>
    Buffer.from(FeatureRecord.encode({ record: { $case: 'updated', value: update } }).finish());

  it('reads a vector, with NaN for no value', () => {
    const decoded = definition.decode(toRecord(encode(createUpdate())));
    if (decoded.kind !== 'record') throw new Error('no record');
    expect(decoded.key).toBe(KEY);
    expect(decoded.input.values).toEqual(BOUGHT);
  });

  it('reads control records, and forwards them as they are', () => {
    const rollout = { kind: 'policy', number: 3, hash: 'h' };
    for (const given of [
      { $case: 'tick' as const, value: { timeMs: T0 } },
      { $case: 'rollout' as const, value: rollout },
    ]) {
      const decoded = definition.decode(toRecord(Buffer.from(FeatureRecord.encode({ record: given }).finish()), null));
      if (decoded.kind === 'record') throw new Error('a control record');
      const forwarded = must(definition.forward(decoded), 'control');
      expect(forwarded.topic).toBe('lifecycle.score.computed.v1');
      expect(ScoreRecord.decode(forwarded.value).record).toEqual(given);
    }
  });

  it.each<[string, Partial<FeaturesUpdated>]>([
    ['of a spec that nobody registered', { specHash: 'f'.repeat(64) }],
    ['cut short', { values: [1, 2] }],
  ])('takes no vector %s, and scores its neighbours', async (_, changes) => {
    await expect(step({ cause: { kind: 'record', input: createUpdate(changes) } })).rejects.toThrow(
      'features under spec',
    );
  });

  it.each<[string, Buffer, string | null]>([
    ['an empty record', Buffer.alloc(0), KEY],
    ['bytes that are no record', Buffer.from('hello there'), KEY],
    ['a vector without a key', encode(createUpdate()), null],
    ['a vector with an empty key', encode(createUpdate()), ''],
  ])('rejects %s', (_, value, key) => {
    expect(() => definition.decode(toRecord(value, key))).toThrow();
  });
});
