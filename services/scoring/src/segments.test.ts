import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  type FeaturesUpdated,
  type Rollout,
  ScoreRecord,
  type SegmentChanged,
  type StageChanged,
  toAttributes,
  toAttributeValues,
} from '@perennial/contracts';
import {
  type AttributeValue,
  type CompiledFeatures,
  ECOMMERCE_FEATURES,
  encodeFeatureSpec,
  FeatureSpecs,
} from '@perennial/feature-engine';
import { must, toSha256 } from '@perennial/kernel';
import type { Cause } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { createScoringArtifacts, type ScoringArtifacts } from './artifacts.js';
import type { ScoringState } from './domain/state.js';
import { createScoringProcessor, type ScoringProcessor } from './processor.js';
import { createScoringTelemetry } from './telemetry.js';

const T0 = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');
const KEY = pseudonymizer.toProfileKey({ userId: 'ada' });
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const registered = new Map<string, Buffer>();
let artifacts: ScoringArtifacts;
let definition: ScoringProcessor;

const SEGMENTS = `version: 1
segments:
  buyers: { when: features.orders_count_all >= 1, description: Has ordered }
  new_buyers: { when: profile.stage == "active" && profile.days_in_stage < 30 }
  basket:
    did: { type: track, name: Product Added }
    butNot: { type: track, name: Order Completed }
    within: 1h
`;
const CHART = `version: 1
initial: prospect
stages:
  prospect: { transitions: [{ to: active, when: features.orders_count_all >= 1 }] }
  active: {}
`;

function register(kind: string, text: string): Rollout {
  const content = Buffer.from(text);
  const hash = toSha256(content);
  registered.set(hash, content);
  return { kind, number: 3, hash };
}

beforeAll(() => {
  const store = { list: async () => [], load: async (_: string, hash: string) => must(registered.get(hash), hash) };
  artifacts = createScoringArtifacts(store, {
    specs,
    loadGraph: () => Promise.reject(new Error('no model in this test')),
    onModelLoaded: () => undefined,
    onConditionError: ({ source }) => {
      throw new Error(source);
    },
  });
  const telemetry = createScoringTelemetry(
    createLogger({ service: 'test', namespace: 'live', instanceId: 'test', level: 'silent' }),
    createMetrics({ service: 'test', namespace: 'live', processMetrics: false }),
  );
  definition = createScoringProcessor({ namespace: 'live', artifacts, specs, pseudonymizer, telemetry });
});

const TRAITS = specs.add('traits', ECOMMERCE_FEATURES, {
  attributes: [
    { name: 'traits.plan', source: 'trait', of: 'plan', kind: 'text' },
    { name: 'traits.since', source: 'trait', of: 'since', kind: 'time' },
  ],
});
const WITH_TRAITS: Rollout = { kind: 'features', number: 1, hash: 'traits' };
registered.set('traits', encodeFeatureSpec(ECOMMERCE_FEATURES, { attributes: TRAITS.attributes }));

function toUpdate(
  { spec, attributes }: { spec: CompiledFeatures; attributes: readonly AttributeValue[] },
  { atMs, name, orders }: { atMs: number; name: string; orders: number },
): FeaturesUpdated {
  return {
    specHash: spec.specHash,
    asOfMs: atMs,
    values: specs.initial.names.map((feature) => (feature === 'orders_count_all' ? orders : 0)),
    lastEventAtMs: atMs,
    subject: pseudonymizer.seal('ada'),
    timeZone: '',
    attributes: toAttributes(attributes),
    event: { messageId: 'm', type: 'track', name, timestampMs: atMs, value: Number.NaN },
  };
}

/** Steps one profile through records and timers, as the processor would, with states through their bytes. */
class Profile {
  #state: ScoringState | undefined;
  readonly #inForce: Map<string, Rollout>;

  constructor(...rollouts: readonly Rollout[]) {
    this.#inForce = new Map(rollouts.map((rollout) => [rollout.kind, rollout]));
  }

  rollOut(rollout: Rollout): void {
    this.#inForce.set(rollout.kind, rollout);
  }

  get dueAtMs(): number | undefined {
    return this.#state && definition.codec.timerAtMs(this.#state);
  }

  record(atMs: number, name: string, orders = 0) {
    const input = toUpdate({ spec: specs.initial, attributes: [] }, { atMs, name, orders });
    return this.#step({ kind: 'record', input }, atMs);
  }

  say(atMs: number, ...attributes: readonly AttributeValue[]) {
    const input = toUpdate({ spec: TRAITS, attributes }, { atMs, name: 'identify', orders: 0 });
    return this.#step({ kind: 'record', input }, atMs);
  }

  tag(atMs: number, ...names: readonly string[]) {
    const { event: _, ...update } = toUpdate({ spec: specs.initial, attributes: [] }, { atMs, name: '', orders: 0 });
    const input = { ...update, event: undefined, ...(names.length > 0 && { tags: { names: [...names] } }) };
    return this.#step({ kind: 'record', input }, atMs);
  }

  timer(atMs: number) {
    return this.#step({ kind: 'timer', dueAtMs: must(this.dueAtMs, 'a timer') }, atMs);
  }

  async #step(cause: Cause<FeaturesUpdated>, logTimeMs: number) {
    const context = { key: KEY, partition: 0, offset: 0, ordinal: 0, logTimeMs, inForce: this.#inForce };
    const item = { state: this.#state, cause, context };
    const evidence = await definition.prepare?.([item]);
    const { state, outputs } = definition.step(item, must(evidence?.[0], 'evidence'));
    this.#state = definition.codec.decode(definition.codec.encode(must(state, 'a state')));
    return outputs;
  }
}

type Outputs = Awaited<ReturnType<Profile['record']>>;
const read = <T>(outputs: Outputs, topic: string) =>
  outputs
    .filter((output) => output.topic === `lifecycle.${topic}.v1`)
    .map(({ value }) => JSON.parse(String(value)) as T);
const toSets = (outputs: Outputs) =>
  outputs.flatMap(({ topic, value }) => {
    if (topic !== 'lifecycle.score.computed.v1') return [];
    const { record } = ScoreRecord.decode(value ?? Buffer.alloc(0));
    return [record?.$case === 'computed' ? record.value.segments : undefined];
  });
const toMarks = (outputs: Outputs) =>
  read<SegmentChanged>(outputs, 'segment.changed').map(({ segment, change }) => `${segment} ${change}`);

describe('segments in scoring', () => {
  it('change nothing while none are in force', async () => {
    expect(toMarks(await new Profile().record(T0, 'Order Completed', 1))).toEqual([]);
  });

  it('are entered with the stage that the same step reached, in a record for each profile and segment', async () => {
    const profile = new Profile(register('lifecycle', CHART), register('segments', SEGMENTS));
    const outputs = await profile.record(T0, 'Order Completed', 1);
    expect(read<SegmentChanged>(outputs, 'segment.changed')).toEqual([
      {
        profileKey: KEY,
        userId: 'ada',
        number: 1,
        segment: 'buyers',
        change: 'entered',
        cause: 'event',
        at: new Date(T0).toISOString(),
        reasons: ['Has ordered', 'features.orders_count_all = 1'],
        evidence: { 'features.orders_count_all': 1 },
        segmentsVersion: 3,
      },
      expect.objectContaining({ number: 2, segment: 'new_buyers' }),
    ]);
    const changes = outputs.slice(2);
    expect(changes.map(({ topic, key }) => [topic, key])).toEqual([
      ['lifecycle.segment.changed.v1', `${KEY}:buyers`],
      ['lifecycle.segment.changed.v1', `${KEY}:new_buyers`],
    ]);
    // The profile's partition, whatever the key.
    expect(changes.map(({ partition }) => partition)).toEqual([undefined, undefined]);
    expect(new Set(changes.map(({ headers }) => headers?.ce_id)).size).toBe(2);
  });

  it('travel with scores as bits in the order of the file, and with the number of a change', async () => {
    const profile = new Profile(register('lifecycle', CHART), register('segments', SEGMENTS));
    expect(toSets(await profile.record(T0, 'Page'))).toEqual([undefined]);
    const entered = toSets(await profile.record(T0 + 1, 'Order Completed', 1));
    expect(entered).toEqual([{ listNumber: 3, members: Buffer.of(0b011), changeNumber: 2 }]);
    const unchanged = toSets(await profile.record(T0 + 2, 'Page', 1));
    expect(unchanged).toEqual([{ listNumber: 3, members: Buffer.of(0b011), changeNumber: 0 }]);
    expect(toSets(await profile.record(T0 + 3, 'Product Added', 0))).toEqual([
      { listNumber: 3, members: Buffer.of(0b010), changeNumber: 3 },
    ]);
  });

  it('are entered and left by time alone, with a score for the policy', async () => {
    const profile = new Profile(register('segments', SEGMENTS));
    await profile.record(T0, 'Product Added');
    expect(profile.dueAtMs).toBe(T0 + HOUR_MS);
    const outputs = await profile.timer(T0 + HOUR_MS);
    expect(toMarks(outputs)).toEqual(['basket entered']);
    expect(toSets(outputs)).toEqual([{ listNumber: 3, members: Buffer.of(0b100), changeNumber: 1 }]);
    expect(toMarks(await profile.record(T0 + 2 * HOUR_MS, 'Order Completed', 1))).toEqual([
      'buyers entered',
      'basket left',
    ]);
  });

  it('and stages follow traits that the spec in force declares, and days since a time of them, by time alone too', async () => {
    const segments = register(
      'segments',
      'version: 1\nrecheck: 1h\nsegments: { pro: { when: traits.plan == "pro" }, old: { when: traits.since > 1 } }\n',
    );
    const chart = register(
      'lifecycle',
      `version: 1
initial: trial
stages:
  trial:
    transitions:
      - to: paying
        when: traits.plan in ["pro", "team"]
  paying: {}
`,
    );
    const profile = new Profile(WITH_TRAITS, chart, segments);
    expect(toMarks(await profile.say(T0, 'free', T0 - 23 * HOUR_MS))).toEqual([]);
    const paying = await profile.say(T0 + 1, 'pro', T0 - 23 * HOUR_MS);
    expect(toMarks(paying)).toEqual(['pro entered']);
    expect(read<StageChanged>(paying, 'stage.changed')[0]).toMatchObject({ to: 'paying' });
    expect(toMarks(await profile.timer(T0 + 2 * HOUR_MS))).toEqual(['old entered']);
    expect(toMarks(await profile.say(T0 + 3 * HOUR_MS, null, null))).toEqual(['pro left', 'old left']);
  });

  it('carry traits on to action, and keep them under a spec that comes into force later', async () => {
    const profile = new Profile(WITH_TRAITS, register('segments', SEGMENTS));
    const [score] = await profile.say(T0, 'pro', null);
    const { record } = ScoreRecord.decode(must(score, 'a score').value);
    expect(record?.$case === 'computed' && toAttributeValues(record.value.features?.attributes ?? [])).toEqual([
      'pro',
      null,
    ]);
  });

  it('are rejected when they name a trait that the spec in force does not declare, or as what it is not', async () => {
    const inForce = new Map([['features', WITH_TRAITS]]);
    const reject = async (when: string) =>
      artifacts.loadRollout(register('segments', `version: 1\nsegments: { a: { when: '${when}' } }\n`), inForce);
    await expect(reject('traits.plan > 3')).resolves.toMatchObject({
      reason: expect.stringContaining('a string and a number cannot be compared'),
    });
    await expect(reject('traits.plam == "pro"')).resolves.toMatchObject({
      reason: expect.stringContaining('did you mean "traits.plan"'),
    });
    await expect(reject('traits.plan == "pro"')).resolves.toBeUndefined();
  });

  it('have the tags that a profile was given, until they are taken away, through timers too; conditions read them', async () => {
    const segments = register(
      'segments',
      `version: 1
recheck: 1h
segments:
  care: { when: tags.vip == true && profile.days_since_event > 1 }
tags:
  vip: { kind: manual, owner: crm, description: Known by name }
`,
    );
    const profile = new Profile(segments);
    const given = await profile.tag(T0, 'undeclared', 'vip');
    expect(read<SegmentChanged>(given, 'segment.changed')).toMatchObject([
      { segment: 'vip', change: 'entered', reasons: ['Known by name', 'by hand'], evidence: {} },
    ]);
    expect(toSets(given)).toEqual([{ listNumber: 3, members: Buffer.of(0b10), changeNumber: 1 }]);
    const later = await profile.timer(T0 + 25 * HOUR_MS);
    expect(toMarks(later)).toEqual(['care entered']);
    expect(toMarks(await profile.tag(T0 + 26 * HOUR_MS))).toEqual(['care left', 'vip left']);
  });

  it('are left when another file in force no longer has them', async () => {
    const profile = new Profile(register('segments', SEGMENTS));
    await profile.record(T0, 'Order Completed', 1);
    profile.rollOut(register('segments', 'version: 1\nsegments: { all: { when: "true" } }\n'));
    expect(toMarks(await profile.record(T0 + 1, 'Page', 1))).toEqual(['all entered', 'buyers left']);
  });

  it('are rejected when they name a feature that the spec in force lacks, or are no segments', async () => {
    const inForce = new Map<string, Rollout>();
    const wrong = register('segments', 'version: 1\nsegments: { rich: { when: features.spend > 1 } }\n');
    await expect(artifacts.loadRollout(wrong, inForce)).resolves.toMatchObject({
      reason: expect.stringContaining('unknown name "features.spend"'),
    });
    await expect(artifacts.loadRollout(register('segments', '[]'), inForce)).resolves.toMatchObject({
      reason: expect.stringContaining('segments.yaml:1:1'),
    });
    await expect(artifacts.loadRollout(register('segments', SEGMENTS), inForce)).resolves.toBeUndefined();
  });
});
