import { beforeAll, describe, expect, it } from '@jest/globals';
import { type FeaturesUpdated, type Rollout, ScoreRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must, toSha256 } from '@perennial/kernel';
import type { StepItem } from '@perennial/keyed-processor';
import { toCanonicalManifest } from '@perennial/model-manifest';
import { loadModelHere } from '@perennial/onnx';
import { createTinyGraph, createTrapGraph } from '@perennial/onnx/testing';
import { createPseudonymizer } from '@perennial/privacy';
import fc from 'fast-check';
import { createScoringArtifacts } from './artifacts.js';
import type { ScoringState } from './domain/state.js';
import { createScoringProcessor, type ScoringProcessor } from './processor.js';
import type { RowFailure, ScoringTelemetry } from './telemetry.js';

/*
 * A model that fails on some rows, on the real runtime: those rows get no score and are dead-lettered, all else goes on,
 * and a later model scores them again.
 */

const T0 = 1_700_000_000_000;
const DAY_MS = 86_400_000;
/** A feature above this springs the trap. */
const LIMIT = 4_000;
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const { names, specHash } = specs.initial;
const registered = new Map<string, Buffer>();
const failed: RowFailure[] = [];
let definition: ScoringProcessor;

const CHART = `version: 1
initial: prospect
stages:
  prospect: { transitions: [{ to: active, when: "features.orders_count_all >= 1" }] }
  active:
    transitions:
      - { to: gone, absence: 60d }
      - { to: loyal, when: "scores.score > 0.5" }
  loyal: {}
  gone: {}
`;

function register(kind: string, number: number, content: Buffer): Rollout {
  const hash = toSha256(content);
  registered.set(hash, content);
  return { kind, number, hash };
}

function registerModel(number: number, file: Buffer): Rollout {
  register('model-file', number, file);
  const manifest = {
    formatVersion: 2,
    name: `model_${number}`,
    kind: 'tabular',
    file: { name: 'model.onnx', sha256: toSha256(file) },
    inputs: [{ name: 'features', dtype: 'float32', shape: [null, names.length] }],
    outputs: [{ name: 'score', dtype: 'float32', shape: [null] }],
    features: specs.initial.features,
    heads: [{ name: 'score', output: 'score', meaning: 'A score', kind: 'probability' }],
  };
  return register('model', number, toCanonicalManifest(Buffer.from(JSON.stringify(manifest))));
}

const sound = createTinyGraph(names.length, [
  { name: 'score', isFlat: true, isProbability: true, columns: [{ constant: 1 }] },
]);
const trap = registerModel(1, createTrapGraph(names.length, 'throws', { limit: LIMIT }));
const healed = registerModel(2, sound);
const chart = register('lifecycle', 1, Buffer.from(CHART));
const toInForce = (model: Rollout) =>
  new Map([
    ['model', model],
    ['lifecycle', chart],
  ]);

beforeAll(async () => {
  const telemetry: ScoringTelemetry = {
    modelLoaded: () => undefined,
    conditionFailed: () => undefined,
    rowFailed: (failure) => void failed.push(failure),
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
  for (const rollout of [trap, healed, chart]) {
    expect(await definition.loadRollout?.(rollout, new Map())).toBeUndefined();
  }
});

interface Situation {
  readonly orders: number;
  readonly key?: string;
  readonly state?: ScoringState | undefined;
  readonly model?: Rollout;
}

type Item = StepItem<ScoringState, FeaturesUpdated>;

function toItem({ orders, key = 'ada', state, model = trap }: Situation): Item {
  const values = names.map((name) =>
    name.startsWith('orders_count') ? orders : name.endsWith('_days') ? Number.NaN : 0,
  );
  const input: FeaturesUpdated = {
    specHash,
    asOfMs: T0,
    values,
    lastEventAtMs: T0,
    subject: Buffer.alloc(0),
    timeZone: '',
    attributes: [],
    event: { messageId: 'm', type: 'track', name: 'Order Completed', timestampMs: T0, value: 1 },
  };
  const profileKey = pseudonymizer.toProfileKey({ userId: key });
  const context = { key: profileKey, partition: 0, offset: 7, ordinal: 0, logTimeMs: 0, inForce: toInForce(model) };
  return { state, cause: { kind: 'record', input }, context };
}

async function stepAll(items: readonly Item[]) {
  const evidence = await definition.prepare?.(items);
  return items.map((item, index) => definition.step(item, must(evidence?.[index], 'evidence')));
}

async function step(item: Item) {
  return must((await stepAll([item]))[0], 'result');
}

function readScore(value: Buffer) {
  const { record } = ScoreRecord.decode(value);
  if (record?.$case !== 'computed') throw new Error('no score');
  return record.value;
}

describe('a row that the model fails on', () => {
  it('gets no score and a cause; its neighbours are scored, its profile goes through its stages', async () => {
    failed.length = 0;
    const orders = [1, 2, LIMIT + 1, 3];
    const results = await stepAll(orders.map((count, index) => toItem({ orders: count, key: `user ${index}` })));
    expect(results.map(({ deadLetterCause }) => deadLetterCause !== undefined)).toEqual([false, false, true, false]);
    expect(results[2]?.deadLetterCause).toMatch(/^the model model_1 failed on this row \(error\): .*Gather node/);
    expect(failed).toEqual([
      { modelHash: trap.hash, reason: 'error', problem: must(results[2]?.deadLetterCause, 'cause') },
    ]);
    const scores = results.map(({ outputs }) => readScore(must(outputs[0], 'score').value));
    expect(scores.map(({ modelHash, scores: found }) => [modelHash, found.length])).toEqual([
      [trap.hash, 1],
      [trap.hash, 1],
      ['', 0],
      [trap.hash, 1],
    ]);
    // From prospect on, without a score: the condition on it is not met.
    const [, second] = [results[2], await step(toItem({ orders: LIMIT + 2, state: results[2]?.state }))];
    expect(second.state).toMatchObject({ stage: { stage: 'active' }, scores: undefined });
    expect(second.deadLetterCause).toBeDefined();
  });

  it('has its timer still, which moves the profile on', async () => {
    const { state } = await step(toItem({ orders: LIMIT + 1 }));
    const active = await step(toItem({ orders: LIMIT + 1, state }));
    expect(active.state?.nextCheckAtMs).toBe(T0 + 60 * DAY_MS);
    const item = toItem({ orders: 0, state: active.state });
    const dueAtMs = T0 + 60 * DAY_MS;
    const timer: Item = {
      ...item,
      cause: { kind: 'timer', dueAtMs },
      context: { ...item.context, logTimeMs: dueAtMs },
    };
    const gone = await step(timer);
    expect(gone.state?.stage).toMatchObject({ stage: 'gone' });
    expect(gone.deadLetterCause).toBeDefined();
  });

  it('is scored by a later model', async () => {
    const { state } = await step(toItem({ orders: LIMIT + 1 }));
    const next = await step(toItem({ orders: LIMIT + 2, state, model: healed }));
    expect(next.deadLetterCause).toBeUndefined();
    expect(next.state?.scores?.modelHash).toBe(healed.hash);
  });

  it('comes to the same bytes however the rows are cut into batches', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 6, arbitrary: fc.nat(LIMIT) }, fc.integer({ min: LIMIT + 1, max: 9_999 })), {
          minLength: 1,
          maxLength: 40,
        }),
        fc.integer({ min: 1, max: 12 }),
        async (orders, size) => {
          const items = orders.map((count, index) => toItem({ orders: count, key: `user ${index}` }));
          const whole = await stepAll(items);
          const cut: typeof whole = [];
          for (let start = 0; start < items.length; start += size) {
            cut.push(...(await stepAll(items.slice(start, start + size))));
          }
          expect(cut).toEqual(whole);
          expect(whole.map(({ deadLetterCause }) => deadLetterCause !== undefined)).toEqual(
            orders.map((count) => count > LIMIT),
          );
        },
      ),
      { seed: 15, numRuns: 40 },
    );
  });
});
