import { describe, expect, it } from '@jest/globals';
import { type FeaturesUpdated, type Rollout, ScoreRecord } from '@perennial/contracts';
import {
  DAY_MS,
  ECOMMERCE_FEATURES,
  encodeFeatureSpec,
  type FeatureDefinition,
  FeatureSpecs,
} from '@perennial/feature-engine';
import { must, toSha256 } from '@perennial/kernel';
import { toCanonicalManifest } from '@perennial/model-manifest';
import { loadModelHere } from '@perennial/onnx';
import { createTinyGraph } from '@perennial/onnx/testing';
import { createPseudonymizer } from '@perennial/privacy';
import { createScoringArtifacts } from './artifacts.js';
import type { ScoringState } from './domain/state.js';
import { createScoringProcessor } from './processor.js';
import type { ScoringTelemetry } from './telemetry.js';

/* Charts and models under several feature specs, in an order that nothing may rely on. */

const T0 = 1_700_000_000_000;
const FEATURES_2: Rollout = { kind: 'features', number: 2, hash: 'artifact-2' };
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const PAGES: FeatureDefinition = {
  name: 'pages_count_30d',
  unit: 'pages',
  event: { type: 'page', name: undefined },
  aggregation: 'count',
  windowMs: 30 * DAY_MS,
};
const grown = specs.add(FEATURES_2.hash, [PAGES, ...ECOMMERCE_FEATURES.toReversed()]);
const registered = new Map([[FEATURES_2.hash, encodeFeatureSpec(grown.definitions)]]);
const telemetry: ScoringTelemetry = {
  modelLoaded: () => undefined,
  conditionFailed: () => undefined,
  rowFailed: () => undefined,
  modelProcessLost: () => undefined,
  timeInference: (_, run) => run(),
  transitionsStored: () => undefined,
};
const store = { list: async () => [], load: async (_: string, hash: string) => must(registered.get(hash), hash) };
const artifacts = createScoringArtifacts(store, {
  specs,
  loadGraph: (file, graph) => loadModelHere(file, graph, { providers: ['cpu'] }),
  onModelLoaded: telemetry.modelLoaded,
  onConditionError: telemetry.conditionFailed,
});
const definition = createScoringProcessor({ namespace: 'live', artifacts, specs, pseudonymizer, telemetry });

describe('a chart', () => {
  it('is rejected when it reads a feature that the spec in force does not have, with the name', async () => {
    const chart = registerChart('features.pages_count_30d > 2');
    expect((await definition.loadRollout?.(chart, new Map()))?.reason).toContain('features.pages_count_30d');
    expect(await definition.loadRollout?.(chart, toInForce(FEATURES_2))).toBeUndefined();
  });

  it('reads the same feature by its name under each spec', async () => {
    const chart = registerChart('features.orders_count_all == 7');
    const under1 = await step({ inForce: toInForce(chart), spec: specs.initial, values: { orders_count_all: 7 } });
    const under2 = await step({
      inForce: toInForce(chart, FEATURES_2),
      spec: grown,
      values: { orders_count_all: 7, pages_count_30d: 3 },
    });
    expect([under1.stage, under2.stage]).toEqual(['gone', 'gone']);
  });
});

describe('a model', () => {
  const needed = ['orders_count_all', 'orders_count_7d'];

  it('gets the features that it names, in its order, whatever else the spec has and in whatever order', async () => {
    const model = registerModel(grown.features.filter(({ name }) => needed.includes(name)));
    const values = { orders_count_all: 3, orders_count_7d: 5 };
    expect(await definition.loadRollout?.(model, new Map())).toBeUndefined();
    const under1 = await step({ inForce: toInForce(model), spec: specs.initial, values });
    const under2 = await step({ inForce: toInForce(model, FEATURES_2), spec: grown, values });
    // 100 times the first feature it names, plus the second; the grown spec has them in the opposite order.
    expect([under1.scores, under2.scores]).toEqual([[305], [305]]);
  });

  it.each([
    ['does not have', [{ name: 'visits', hash: 'a'.repeat(64) }], 'visits'],
    ['has with another definition', [{ name: 'orders_count_all', hash: 'a'.repeat(64) }], 'with another definition'],
  ])('is rejected when it needs a feature that the spec in force %s', async (_, features, reason) => {
    const rejection = await definition.loadRollout?.(registerModel(features), new Map());
    expect(rejection?.reason).toContain('it needs features that the spec in force does not have: ');
    expect(rejection?.reason).toContain(reason);
  });

  it('that needs what only the new spec has comes into force with it, not before', async () => {
    const model = registerModel(grown.features.slice(0, 1));
    expect((await definition.loadRollout?.(model, new Map()))?.reason).toContain('pages_count_30d');
    expect(await definition.loadRollout?.(model, toInForce(FEATURES_2))).toBeUndefined();
  });
});

describe('a state that was made under the spec before', () => {
  it('is read under that one, and taken over by name when a timer fires under the next', async () => {
    const chart = registerChart('features.orders_recency_days > 30');
    const values = { orders_count_all: 2, orders_recency_days: 1, orders_tenure_days: 1 };
    const before = await step({ inForce: toInForce(chart), spec: specs.initial, values });
    const stored = definition.codec.decode(definition.codec.encode(must(before.state, 'state')));
    expect(stored.specHash).toBe(specs.initial.specHash);
    const after = await fire(stored, { inForce: toInForce(chart, FEATURES_2), atMs: T0 + 40 * DAY_MS });
    expect(after?.specHash).toBe(grown.specHash);
    const named = grown.toMap(must(after, 'state').values.map((value) => (Number.isNaN(value) ? null : value)));
    expect(named).toMatchObject({ pages_count_30d: null, orders_count_all: 2, orders_recency_days: 41 });
    expect(after?.stage?.stage).toBe('gone');
  });
});

function registerChart(when: string): Rollout {
  return register(
    'lifecycle',
    Buffer.from(`version: 1
initial: here
stages:
  here: { transitions: [{ to: gone, when: "${when}" }] }
  gone: {}
`),
  );
}

/** Its only head is 100 times the first feature plus each other feature once. */
function registerModel(features: ReadonlyArray<{ name: string; hash: string }>): Rollout {
  const weights = Object.fromEntries(features.map((_, index) => [index, index === 0 ? 100 : 1]));
  const file = createTinyGraph(features.length, [{ name: 'sum', isFlat: true, columns: [{ constant: 0, weights }] }]);
  register('model-file', file);
  const manifest = {
    formatVersion: 2,
    name: 'sums',
    kind: 'tabular',
    file: { name: 'model.onnx', sha256: toSha256(file) },
    inputs: [{ name: 'features', dtype: 'float32', shape: [null, features.length] }],
    outputs: [{ name: 'sum', dtype: 'float32', shape: [null] }],
    features,
    heads: [{ name: 'sum', output: 'sum', meaning: 'A sum', kind: 'number' }],
  };
  return register('model', toCanonicalManifest(Buffer.from(JSON.stringify(manifest))));
}

function register(kind: string, content: Buffer): Rollout {
  const hash = toSha256(content);
  registered.set(hash, content);
  return { kind, number: 1, hash };
}

function toInForce(...rollouts: Rollout[]): ReadonlyMap<string, Rollout> {
  return new Map(rollouts.map((rollout) => [rollout.kind, rollout]));
}

async function step(given: {
  inForce: ReadonlyMap<string, Rollout>;
  spec: typeof grown;
  values: Readonly<Record<string, number>>;
}) {
  const input: FeaturesUpdated = {
    specHash: given.spec.specHash,
    asOfMs: T0,
    values: given.spec.names.map((name) => given.values[name] ?? 0),
    lastEventAtMs: T0,
    subject: pseudonymizer.seal('ada'),
    timeZone: '',
    attributes: [],
    event: undefined,
  };
  const context = { key: 'key', partition: 0, offset: 7, ordinal: 0, logTimeMs: 0, inForce: given.inForce };
  const item = { state: undefined, cause: { kind: 'record', input }, context } as const;
  const evidence = await definition.prepare?.([item]);
  const { state, outputs } = definition.step(item, must(evidence?.[0], 'evidence'));
  const { record } = ScoreRecord.decode(must(outputs[0], 'score').value);
  if (record?.$case !== 'computed') throw new Error('no score');
  expect(record.value.features?.specHash).toBe(given.spec.specHash);
  return { state, scores: record.value.scores, stage: record.value.stage };
}

async function fire(state: ScoringState, at: { inForce: ReadonlyMap<string, Rollout>; atMs: number }) {
  const context = { key: 'key', partition: 0, offset: 8, ordinal: 0, logTimeMs: at.atMs, inForce: at.inForce };
  const item = { state, cause: { kind: 'timer', dueAtMs: at.atMs }, context } as const;
  const evidence = await definition.prepare?.([item]);
  return definition.step(item, must(evidence?.[0], 'evidence')).state;
}
