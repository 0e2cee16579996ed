import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { FeaturesUpdated, Rollout, StageChanged } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must, toSha256 } from '@perennial/kernel';
import type { Cause } from '@perennial/keyed-processor';
import { toCanonicalManifest } from '@perennial/model-manifest';
import { loadModelHere } from '@perennial/onnx';
import { createPseudonymizer } from '@perennial/privacy';
import { createScoringArtifacts } from './artifacts.js';
import type { ScoringState } from './domain/state.js';
import { createScoringProcessor, type ScoringProcessor } from './processor.js';
import { readModelFolder } from './scoring-model.js';

/*
 * Results of the default chart and model for synthetic histories: ids and times of all transitions. The hash is from
 * before heads became data. Numbers that a transition read are excluded, since their last bits depend on the machine.
 */

const PROFILES = 12;
const STEPS = 60;
/** Some 700 runs of the model, in sequence. */
const TIMEOUT_MS = 240_000;
const TRANSITIONS = 82;
const GOLDEN = '2a9db1d65f93f701a1be81d8398b804be4cd332d0d1e9c6ea214c48917c90c99';
const ROOT = join(__dirname, '../../..');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const T0 = Date.UTC(2025, 0, 1);
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const registered = new Map<string, Buffer>();
let processor: ScoringProcessor;
let inForce: ReadonlyMap<string, Rollout>;

function register(kind: string, content: Buffer): [string, Rollout] {
  const hash = toSha256(content);
  registered.set(hash, content);
  return [kind, { kind, number: 1, hash }];
}

beforeAll(async () => {
  const { manifest, file } = await readModelFolder(join(ROOT, 'trainer/models/default'));
  register('model-file', file);
  inForce = new Map([
    register('model', toCanonicalManifest(manifest)),
    register('lifecycle', readFileSync(join(ROOT, 'infra/defaults/lifecycle.yaml'))),
  ]);
  const telemetry = {
    modelLoaded: () => undefined,
    conditionFailed: () => undefined,
    rowFailed: () => undefined,
    modelProcessLost: () => undefined,
    timeInference: <T>(_: number, run: () => Promise<T>) => run(),
    transitionsStored: () => undefined,
  };
  const store = { list: async () => [], load: async (_: string, hash: string) => must(registered.get(hash), hash) };
  const handlers = { onModelLoaded: telemetry.modelLoaded, onConditionError: telemetry.conditionFailed };
  const artifacts = createScoringArtifacts(store, {
    specs,
    loadGraph: (file, graph) => loadModelHere(file, graph, { providers: ['cpu'] }),
    ...handlers,
  });
  processor = createScoringProcessor({ namespace: 'live', artifacts, specs, pseudonymizer, telemetry });
});

/** A seeded stream in [0, 1), one for all profiles. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Shopper {
  orders: number;
  events: number;
  revenue: number;
  first: number;
  last: number;
}

function toValues({ orders, events, revenue, first, last }: Shopper, now: number, bought: boolean): number[] {
  const known: Readonly<Record<string, number>> = {
    orders_count_7d: bought ? 1 : 0,
    orders_count_30d: Math.min(orders, 2),
    orders_count_90d: Math.min(orders, 4),
    orders_count_365d: Math.min(orders, 12),
    orders_count_all: orders,
    orders_revenue_sum_30d: revenue / 4,
    orders_revenue_sum_90d: revenue / 2,
    orders_revenue_sum_365d: revenue,
    orders_revenue_sum_all: revenue,
    orders_recency_days: (now - last) / DAY_MS,
    orders_tenure_days: (now - first) / DAY_MS,
    orders_gap_mean_days: orders > 1 ? (last - first) / DAY_MS / (orders - 1) : Number.NaN,
    products_distinct_90d: orders,
    events_count_7d: Math.min(events, 5),
    events_count_30d: Math.min(events, 9),
    events_count_all: events,
  };
  return specs.initial.names.map((name) => known[name] ?? 0);
}

/** The next event of a shopper, whose state changes with it. */
function shop(shopper: Shopper, now: number, buys: boolean, spend: () => number): FeaturesUpdated {
  shopper.events++;
  if (buys) {
    shopper.orders++;
    shopper.revenue += spend();
    shopper.last = now;
    if (Number.isNaN(shopper.first)) shopper.first = now;
  }
  const event = { messageId: 'm', type: 'track', name: buys ? 'Order Completed' : 'Page', timestampMs: now, value: 30 };
  return {
    specHash: specs.initial.specHash,
    asOfMs: now,
    values: toValues(shopper, now, buys),
    lastEventAtMs: now,
    subject: Buffer.alloc(0),
    timeZone: '',
    attributes: [],
    event,
  };
}

async function step(key: string, state: ScoringState | undefined, cause: Cause<FeaturesUpdated>, logTimeMs: number) {
  const item = { state, cause, context: { key, partition: 0, offset: 0, ordinal: 0, logTimeMs, inForce } };
  const evidence = await processor.prepare?.([item]);
  const result = processor.step(item, must(evidence?.[0], 'evidence'));
  const changes = result.outputs
    .filter(({ topic }) => topic.includes('stage.changed'))
    .map(({ value, headers }) => {
      const { number, from, to, cause: moved, at } = JSON.parse(String(value)) as StageChanged;
      return [headers?.ce_id, number, from, to, moved, at].join(' ');
    });
  return { state: result.state && processor.codec.decode(processor.codec.encode(result.state)), changes };
}

async function live(userId: string, random: () => number): Promise<string[]> {
  const key = pseudonymizer.toProfileKey({ userId });
  const shopper: Shopper = { orders: 0, events: 0, revenue: 0, first: Number.NaN, last: Number.NaN };
  const changes: string[] = [];
  let state: ScoringState | undefined;
  let now = T0 + random() * DAY_MS;
  for (let i = 0; i < STEPS; i++) {
    now = Math.floor(now + Math.exp(random() * 7) * HOUR_MS);
    const buys = random() < 0.4 && i > 0;
    const dueAtMs = state?.nextCheckAtMs;
    const isDue = dueAtMs !== undefined && dueAtMs < now;
    if (isDue) {
      now = dueAtMs;
      i -= random() < 0.5 ? 1 : 0;
    }
    const cause: Cause<FeaturesUpdated> = isDue
      ? { kind: 'timer', dueAtMs }
      : { kind: 'record', input: shop(shopper, now, buys, () => Math.floor(random() * 10_000) / 100) };
    const stepped = await step(key, state, cause, isDue ? now : now - 1);
    state = stepped.state;
    changes.push(...stepped.changes);
  }
  return changes;
}

describe('the chart and the model that ship', () => {
  it(
    'move made-up profiles as they always did',
    async () => {
      const random = createRandom(7);
      const changes: string[] = [];
      for (let user = 0; user < PROFILES; user++) changes.push(...(await live(`user-${user}`, random)));
      expect(changes).toHaveLength(TRANSITIONS);
      expect(toSha256(changes.join('\n'))).toBe(GOLDEN);
    },
    TIMEOUT_MS,
  );
});
