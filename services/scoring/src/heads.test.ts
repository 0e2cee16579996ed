import { beforeAll, describe, expect, it } from '@jest/globals';
import { type FeaturesUpdated, type Rollout, ScoreRecord, type StageChanged } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must, toSha256 } from '@perennial/kernel';
import { toCanonicalManifest } from '@perennial/model-manifest';
import { loadModelHere } from '@perennial/onnx';
import { createTinyGraph, type TinyOutput } from '@perennial/onnx/testing';
import { createPseudonymizer } from '@perennial/privacy';
import { createScoringArtifacts } from './artifacts.js';
import { createScoringProcessor, type ScoringProcessor } from './processor.js';
import type { ScoringTelemetry } from './telemetry.js';

/*
 * Models with other heads than the default model, on the real runtime: only manifest and chart know the heads' names.
 */

const T0 = 1_700_000_000_000;
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const KEY = pseudonymizer.toProfileKey({ userId: 'ada' });
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const { names, specHash } = specs.initial;
const features = names.length;
const registered = new Map<string, Buffer>();
let definition: ScoringProcessor;

interface TestHead {
  readonly name: string;
  readonly output: string;
  readonly column?: number;
  readonly kind: string;
  readonly unit?: string;
}

function register(kind: string, number: number, content: Buffer): Rollout {
  const hash = toSha256(content);
  registered.set(hash, content);
  return { kind, number, hash };
}

function registerModel(number: number, outputs: readonly TinyOutput[], heads: readonly TestHead[]): Rollout {
  const file = createTinyGraph(features, outputs);
  register('model-file', 1, file);
  const manifest = {
    formatVersion: 2,
    name: `test_${number}`,
    kind: 'tabular',
    file: { name: 'model.onnx', sha256: toSha256(file) },
    inputs: [{ name: 'features', dtype: 'float32', shape: [null, features] }],
    outputs: outputs.map(({ name, isFlat, columns }) => ({
      name,
      dtype: 'float32',
      shape: isFlat ? [null] : [null, columns.length],
    })),
    features: specs.initial.features,
    heads: heads.map((head) => ({ meaning: `The ${head.name}`, ...head })),
  };
  return register('model', number, toCanonicalManifest(Buffer.from(JSON.stringify(manifest))));
}

const registerChart = (number: number, when: string) =>
  register(
    'lifecycle',
    number,
    Buffer.from(`version: 1
initial: here
stages:
  here: { transitions: [{ to: gone, when: "${when}" }] }
  gone: {}
`),
  );

const RENEWAL: TinyOutput = { name: 'renewal', isFlat: true, isProbability: true, columns: [{ constant: 0 }] };
const oneHead = () => registerModel(1, [RENEWAL], [{ name: 'renewal', output: 'renewal', kind: 'probability' }]);
const fiveHeads = () =>
  registerModel(
    2,
    [RENEWAL, { name: 'money', columns: [1, 2, 3, 4].map((constant) => ({ constant, weights: { [constant]: 1 } })) }],
    [
      { name: 'margin', output: 'money', column: 2, kind: 'number' },
      { name: 'spend', output: 'money', column: 0, kind: 'amount', unit: 'EUR' },
      { name: 'renewal', output: 'renewal', kind: 'probability' },
      { name: 'orders', output: 'money', column: 3, kind: 'count', unit: 'orders' },
      { name: 'refunds', output: 'money', column: 1, kind: 'amount', unit: 'EUR' },
    ],
  );

beforeAll(() => {
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
  definition = createScoringProcessor({ namespace: 'live', artifacts, specs, pseudonymizer, telemetry });
});

function toInForce(...rollouts: Rollout[]): ReadonlyMap<string, Rollout> {
  return new Map(rollouts.map((rollout) => [rollout.kind, rollout]));
}

async function step(inForce: ReadonlyMap<string, Rollout>, value = 1) {
  const input: FeaturesUpdated = {
    specHash,
    asOfMs: T0,
    values: names.map(() => value),
    lastEventAtMs: T0,
    subject: pseudonymizer.seal('ada'),
    timeZone: '',
    attributes: [],
    event: undefined,
  };
  const context = { key: KEY, partition: 0, offset: 7, ordinal: 0, logTimeMs: 0, inForce };
  const item = { state: undefined, cause: { kind: 'record', input }, context } as const;
  const evidence = await definition.prepare?.([item]);
  const { state, outputs, deadLetterCause } = definition.step(item, must(evidence?.[0], 'evidence'));
  const { record } = ScoreRecord.decode(must(outputs[0], 'score').value);
  if (record?.$case !== 'computed') throw new Error('no score');
  const changed = JSON.parse(must(outputs[1], 'change').value.toString()) as StageChanged;
  return { state, computed: record.value, changed, deadLetterCause };
}

describe('a model of other heads', () => {
  it('may have one, which the chart reads by its name', async () => {
    const model = oneHead();
    const { state, computed, changed } = await step(toInForce(model, registerChart(1, 'scores.renewal == 0.5')));
    expect(computed).toMatchObject({ modelHash: model.hash, scores: [0.5], stage: 'gone' });
    expect(changed).toMatchObject({ to: 'gone', scores: { renewal: 0.5 }, evidence: { 'scores.renewal': 0.5 } });
    const encoded = definition.codec.encode(must(state, 'state'));
    expect(definition.codec.decode(encoded).scores).toEqual({ modelHash: model.hash, values: [0.5] });
  });

  it('may have five, in the order of the manifest whatever that of the tensors', async () => {
    const chart = registerChart(2, 'scores.orders == 5 && scores.spend == 2 && scores.margin > scores.refunds');
    const { computed, changed } = await step(toInForce(fiveHeads(), chart));
    expect(computed.scores).toEqual([4, 2, 0.5, 5, 3]);
    expect(changed).toMatchObject({
      to: 'gone',
      scores: { margin: 4, spend: 2, renewal: 0.5, orders: 5, refunds: 3 },
    });
  });

  it('gives no scores to a row whose scores are out of range: a dead letter names the head, and the stage goes on', async () => {
    const chart = registerChart(2, 'features.orders_count_all < 0');
    const { state, computed, changed, deadLetterCause } = await step(toInForce(fiveHeads(), chart), -100);
    expect(deadLetterCause).toMatch(/^the model test_2 gave -99 for spend, which is from 0 to /);
    expect(computed).toMatchObject({ modelHash: '', scores: [], stage: 'gone' });
    expect(changed).toMatchObject({ to: 'gone', scores: {} });
    expect(state?.scores).toBeUndefined();
  });

  it('is rejected where no row gives sound scores', async () => {
    const output: TinyOutput = { name: 'spend', isFlat: true, columns: [{ constant: -1 }] };
    const model = registerModel(3, [output], [{ name: 'spend', output: 'spend', kind: 'amount', unit: 'EUR' }]);
    expect((await definition.loadRollout?.(model, new Map()))?.reason).toContain(
      'the model test_3 gave -1 for spend, which is from 0 to 1.7976931348623157e+308 (all features NaN)',
    );
  });

  it('is rejected when its tensors are not those of the graph', async () => {
    const good = JSON.parse(must(registered.get(oneHead().hash), 'manifest').toString()) as object;
    const outputs = [{ name: 'renewal', dtype: 'float32', shape: [null, 2] }];
    const wrong = register('model', 4, Buffer.from(JSON.stringify({ ...good, outputs })));
    expect((await definition.loadRollout?.(wrong, new Map()))?.reason).toContain(
      'output renewal has shape [null], declared [null,2]',
    );
  });
});

describe('a rollout of a chart or a model', () => {
  const rollOut = (rollout: Rollout, ...others: Rollout[]) => definition.loadRollout?.(rollout, toInForce(...others));

  it('is rejected when the chart reads a head that the model lacks, whichever came last', async () => {
    const [one, five] = [oneHead(), fiveHeads()];
    const chart = registerChart(3, 'scores.refund > 1');
    const read = 'reads scores.refund (did you mean "scores.refunds"?), which';
    expect(await rollOut(chart, five)).toEqual({
      reason: `lifecycle 3 cannot come into force: it ${read} model 2 does not have`,
    });
    expect(await rollOut(five, chart)).toEqual({
      reason: `model 2 cannot come into force: lifecycle 3 ${read} it does not have`,
    });
    const right = registerChart(4, 'scores.refunds > 1');
    expect(await rollOut(right, five)).toBeUndefined();
    expect(await rollOut(one, right)).toMatchObject({
      reason: expect.stringContaining('lifecycle 4 reads scores.refunds'),
    });
  });

  it('is taken while there is nothing that it could be at odds with', async () => {
    const chart = registerChart(3, 'scores.refund > 1');
    expect(await rollOut(chart)).toBeUndefined();
    expect(await rollOut(oneHead(), registerChart(5, 'profile.days_in_stage > 1'))).toBeUndefined();
  });
});
