import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { AcceptedEvent, FeatureRecord, type FeaturesUpdated, type Rollout } from '@perennial/contracts';
import {
  compileFeatures,
  DAY_MS,
  ECOMMERCE_FEATURES,
  encodeFeatureSpec,
  type FeatureDefinition,
  FeatureSpecs,
} from '@perennial/feature-engine';
import { AppError, must, toSha256 } from '@perennial/kernel';
import { createMetrics } from '@perennial/telemetry';
import { createFeatureArtifacts } from './artifacts.js';
import type { ProfileState } from './domain/profile-state.js';
import { createFeatureProcessor } from './processor.js';
import { createFeatureTelemetry } from './telemetry.js';

const NOON = Date.UTC(2024, 4, 15, 12);
const PAGES: FeatureDefinition = {
  name: 'pages_count_30d',
  unit: 'pages',
  event: { type: 'page', name: undefined },
  aggregation: 'count',
  windowMs: 30 * DAY_MS,
};
const PRESET = encodeFeatureSpec(ECOMMERCE_FEATURES);
const GROWN = encodeFeatureSpec([...ECOMMERCE_FEATURES.toReversed(), PAGES]);
const PAGES_ONLY = encodeFeatureSpec([PAGES]);
const REDEFINED = encodeFeatureSpec(
  ECOMMERCE_FEATURES.map((feature, index) => (index > 0 ? feature : { ...feature, unit: 'x' })),
);
const CHART: Rollout = { kind: 'lifecycle', number: 1, hash: 'c' };

function setUp(...stored: Buffer[]) {
  const artifacts = new Map(stored.map((bytes) => [toSha256(bytes), bytes]));
  const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
  const artifactsInForce = createFeatureArtifacts(
    {
      list: async () => [...artifacts.keys()],
      async load(_, hash) {
        const bytes = artifacts.get(hash);
        if (bytes === undefined) throw new AppError('not_found', 'nothing is stored');
        return bytes;
      },
    },
    { specs },
  );
  const telemetry = createFeatureTelemetry(createMetrics({ service: 'f', namespace: 'live', processMetrics: false }));
  const processor = createFeatureProcessor({ namespace: 'live', artifacts: artifactsInForce, telemetry, specs });
  const load = (rollout: Rollout, ...before: Rollout[]) =>
    must(processor.loadRollout, 'it loads rollouts')(rollout, new Map(before.map((other) => [other.kind, other])));
  return { processor, load };
}

const rollOut = (bytes: Buffer, number = 2): Rollout => ({ kind: 'features', number, hash: toSha256(bytes) });

describe('a rollout of features', () => {
  it('comes into force when it keeps all that is, whatever it adds and in whatever order', async () => {
    const { load } = setUp(PRESET, GROWN);
    expect(await load(rollOut(PRESET, 1))).toBeUndefined();
    expect(await load(CHART, rollOut(PRESET, 1))).toBeUndefined();
    expect(await load(rollOut(GROWN), rollOut(PRESET, 1), CHART)).toBeUndefined();
  });

  it('is rejected when it takes away what charts, policies or models may rest on, with the names', async () => {
    const { load } = setUp(PRESET, GROWN, PAGES_ONLY, REDEFINED);
    expect(await load(rollOut(GROWN), CHART)).toBeUndefined();
    expect((await load(rollOut(PRESET, 1), rollOut(GROWN), CHART))?.reason).toBe(
      'features 1 cannot come into force: a spec only grows, and it lacks features of the spec in force: pages_count_30d',
    );
    expect((await load(rollOut(PAGES_ONLY, 3), CHART))?.reason).toContain('orders_count_7d, orders_count_30d');
    expect((await load(rollOut(REDEFINED, 4), CHART))?.reason).toContain(
      'orders_count_7d (there is one of that name with another definition)',
    );
  });

  it('may be any while nothing else was rolled out, and is accepted again at every start', async () => {
    const { load } = setUp(PRESET, PAGES_ONLY);
    expect(await load(rollOut(PRESET, 1))).toBeUndefined();
    expect(await load(rollOut(PAGES_ONLY), rollOut(PRESET, 1))).toBeUndefined();
    const { load: loadAtStart } = setUp(PRESET, PAGES_ONLY);
    expect(await loadAtStart(rollOut(PAGES_ONLY), rollOut(PAGES_ONLY), CHART)).toBeUndefined();
  });

  it('is rejected for bytes that are no spec, and waits for those that are not there', async () => {
    const junk = Buffer.from('{"version":1,"features":[{"name":"A"}]}');
    const { load } = setUp(junk);
    expect((await load(rollOut(junk)))?.reason).toContain('features[0].name: must be small letters');
    await expect(load(rollOut(GROWN))).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
  });
});

describe('a rollout of rates', () => {
  const table = (currency: string, rates = '{}') => Buffer.from(`version: 1\ncurrency: ${currency}\nrates: ${rates}\n`);
  const rollOutRates = (bytes: Buffer, number = 1): Rollout => ({ kind: 'rates', number, hash: toSha256(bytes) });
  const USD = table('USD');
  const MORE = table('USD', '{ EUR: 1.1 }');
  const EUR = table('EUR');

  it('comes into force with any currency first, and with that one from then on', async () => {
    const { load } = setUp(USD, MORE, EUR);
    expect(await load(rollOutRates(EUR))).toBeUndefined();
    expect(await load(rollOutRates(USD), CHART)).toBeUndefined();
    expect(await load(rollOutRates(MORE, 2), rollOutRates(USD))).toBeUndefined();
    expect(await load(rollOutRates(MORE, 2), rollOutRates(MORE, 2))).toBeUndefined();
    expect((await load(rollOutRates(EUR, 3), rollOutRates(MORE, 2)))?.reason).toBe(
      'rates 3 cannot come into force: its currency is EUR, but the sums of this namespace are in USD',
    );
  });

  it('is rejected for bytes that are no table', async () => {
    const junk = table('dollars');
    const { load } = setUp(junk);
    expect((await load(rollOutRates(junk)))?.reason).toContain('rates.yaml:2:11:');
  });

  it('leaves the first spec of a namespace free', async () => {
    const { load } = setUp(PAGES_ONLY, USD);
    expect(await load(rollOut(PAGES_ONLY), rollOut(PRESET, 1), rollOutRates(USD))).toBeUndefined();
  });
});

describe('a profile', () => {
  it('is computed under the preset before any rollout, and taken over by the spec that comes into force', async () => {
    const { processor, load } = setUp(GROWN);
    const first = step(processor, undefined, { event: page('m1') });
    expect(first.update.specHash).toBe(compileFeatures(ECOMMERCE_FEATURES).specHash);
    await load(rollOut(GROWN));
    const stored = processor.codec.decode(processor.codec.encode(first.state));
    const second = step(processor, stored, { event: page('m2'), rollout: rollOut(GROWN) });
    const grown = compileFeatures([...ECOMMERCE_FEATURES.toReversed(), PAGES]);
    expect(second.update.specHash).toBe(grown.specHash);
    // Both specs have the first feature; only the second spec was in force when the page event came.
    expect(grown.toMap(second.update.values)).toMatchObject({ events_count_all: 2, pages_count_30d: 1 });
  });

  it('keeps its message ids over a change of the spec', async () => {
    const { processor, load } = setUp(GROWN);
    const { state } = step(processor, undefined, { event: page('m1') });
    await load(rollOut(GROWN));
    const again = stepRaw(processor, state, { event: page('m1'), rollout: rollOut(GROWN) });
    expect(again).toEqual({ state, outputs: [] });
  });

  it('is taken over by a timer too', async () => {
    const { processor, load } = setUp(GROWN);
    const { state } = step(processor, undefined, { event: page('m1') });
    await load(rollOut(GROWN));
    const fired = step(processor, state, { dueAtMs: must(state.validUntilMs, 'a timer'), rollout: rollOut(GROWN) });
    expect(fired.state.engine.specHash).toBe(fired.update.specHash);
    expect(fired.update.values).toHaveLength(ECOMMERCE_FEATURES.length + 1);
  });
});

describe('a condition of a filter', () => {
  it('reads the context that the event carries', async () => {
    const event = { type: 'page', name: undefined, where: 'context.device.type == "ios"' };
    const spec = encodeFeatureSpec([...ECOMMERCE_FEATURES, { ...PAGES, event }]);
    const { processor, load } = setUp(spec);
    const rollout = rollOut(spec);
    expect(await load(rollout)).toBeUndefined();
    const ios = { ...page('m1'), contextJson: Buffer.from('{"device":{"type":"ios"}}') };
    const first = step(processor, undefined, { event: ios, rollout });
    const web = { ...page('m2'), contextJson: Buffer.from('{"device":{"type":"web"}}') };
    const second = step(processor, first.state, { event: web, rollout });
    const third = step(processor, second.state, { event: page('m3'), rollout });
    expect([first, second, third].map(({ update }) => update.values.at(-1))).toEqual([1, 1, 1]);
    expect(() =>
      step(processor, third.state, { event: { ...page('m4'), contextJson: Buffer.from('{') }, rollout }),
    ).toThrow();
  });
});

type Given = { readonly rollout?: Rollout } & ({ readonly event: AcceptedEvent } | { readonly dueAtMs: number });
type Processor = ReturnType<typeof setUp>['processor'];

function stepRaw(processor: Processor, state: ProfileState | undefined, given: Given) {
  const inForce = new Map(given.rollout && [['features', given.rollout]]);
  const logTimeMs = 'dueAtMs' in given ? given.dueAtMs : 0;
  const context = { key: 'a-profile-key-22-chars', partition: 0, offset: 1, ordinal: 0, logTimeMs, inForce };
  const cause =
    'event' in given
      ? ({ kind: 'record', input: { event: given.event, properties: {} } } as const)
      : ({ kind: 'timer', dueAtMs: given.dueAtMs } as const);
  return processor.step({ state, cause, context }, { rates: INITIAL_RATES });
}

function step(
  processor: Processor,
  before: ProfileState | undefined,
  given: Given,
): { state: ProfileState; update: FeaturesUpdated } {
  const { state, outputs } = stepRaw(processor, before, given);
  const { record } = FeatureRecord.decode(must(outputs[0], 'an update').value);
  if (record?.$case !== 'updated') throw new Error('not an update');
  return { state: must(state, 'a state'), update: record.value };
}

function page(messageId: string): AcceptedEvent {
  return {
    ...AcceptedEvent.decode(new Uint8Array()),
    messageId,
    sourceId: 's',
    type: 'page',
    name: 'Home',
    timestampMs: NOON,
    receivedAtMs: NOON,
    subject: Buffer.from('sealed'),
    anonymous: false,
    propertiesJson: Buffer.from('{}'),
    timeZone: '',
    currency: '',
    namedIds: [],
    forwardedTo: undefined,
  };
}
