import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import {
  DAY_MS,
  ECOMMERCE_FEATURES,
  encodeFeatureSpec,
  type FeatureDefinition,
  HOUR_MS,
} from '@perennial/feature-engine';
import { toParts } from '@perennial/identity';
import { createSeededRandom, must, toSha256 } from '@perennial/kernel';
import { serveProfile } from '../domain/serve.js';
import { toPartKeys } from '../identity/part-keys.js';
import { readJoined } from '../identity/read-joined.js';
import { encodeFill, type PartitionFill } from './fill-document.js';
import { type FillLimits, fillPartition, toFillNames } from './fill-partition.js';
import {
  createMemoryArtifacts,
  createTestProcessor,
  NAMESPACE,
  partitionOf,
  type TestEvent,
  type TestLog,
  type TestPartition,
  type TestProcessor,
  TestWorld,
  toArchive,
  toTarget,
} from './fill-test-kit.js';
import { isFilling } from './fills.js';

const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const RUNS = 5;
const START_MS = Date.UTC(2024, 0, 10);
const DEVICES = Array.from({ length: 5 }, (_, i) => `device-${i}`);
const KEYS = [...Array.from({ length: 7 }, (_, i) => `user-${i}`), ...DEVICES];
const page = { type: 'page', name: undefined };
const order = { type: 'track', name: 'Order Completed' };
const amount = { kind: 'amount', properties: ['paid'], absolute: false } as const;
const calm = { ...amount, outliers: 'exclude' } as const;
const GROWN: readonly FeatureDefinition[] = [
  { name: 'pages_30d', unit: 'pages', event: page, aggregation: 'count', windowMs: 30 * DAY_MS },
  ...ECOMMERCE_FEATURES,
  // Wider than any window of the preset over hours: an accumulator that both have, with a longer reach.
  { name: 'orders_count_14d', unit: 'orders', event: order, aggregation: 'count', windowMs: 14 * DAY_MS },
  { name: 'order_max_all', unit: 'money', event: order, measure: amount, aggregation: 'max', windowMs: undefined },
  { name: 'calm_sum_all', unit: 'money', event: order, measure: calm, aggregation: 'sum', windowMs: undefined },
  { name: 'order_std_90d', unit: 'money', event: order, measure: amount, aggregation: 'std', windowMs: 90 * DAY_MS },
  { name: 'page_days_all', unit: 'days', event: page, aggregation: 'active_days', windowMs: undefined },
  { name: 'order_gap_std', unit: 'days', event: order, aggregation: 'gap_std' },
];
const HASH = toSha256(encodeFeatureSpec(GROWN));

describe(`a spec that is filled from the archive (seed ${SEED})`, () => {
  it('serves every profile as a run which had it from the start, wherever it begins and is completed', async () => {
    let flagged = 0;
    for (let run = 0; run < RUNS; run++) {
      flagged += await checkRun(createSeededRandom(SEED + run), `seed ${SEED + run}`);
    }
    expect(flagged).toBeGreaterThan(0);
  });
});

type Random = () => number;

/** The number of values that were far from those before them. */
async function checkRun(random: Random, seed: string): Promise<number> {
  const store = createMemoryArtifacts(GROWN);
  const control = createTestProcessor(store);
  const changed = createTestProcessor(store);
  const steps = drawHistory(random);
  const whole = new TestWorld(control);
  for (const partition of whole.logs.keys()) await whole.rollOut(partition, 'features', 2, HASH);
  for (const step of steps) await play(whole, step);

  const world = new TestWorld(changed);
  for (const partition of world.logs.keys()) await world.rollOut(partition, 'lifecycle', 1, 'c'.repeat(64));
  // Each partition changes at a position of its own, with events in between.
  const [early = [], between = [], middle = [], after = [], late = []] = cut(random, steps, [0, 20, 160, 15, 160]);
  for (const step of early) await play(world, step);
  for (const partition of world.logs.keys()) {
    await world.rollOut(partition, 'feature-filling', 2, HASH);
    await world.rollOut(partition, 'features', 2, HASH);
    if (partition === 0) for (const step of between) await play(world, step);
  }
  for (const step of middle) await play(world, step);
  const fills = await fillWithInterruptions(random, changed, { logs: world.logs, store });
  expect(fills.map(({ until }) => until)).toEqual(
    world.logs.map(({ records }) => records.findIndex(isFeaturesRollout)),
  );
  checkFillingAnswers(changed, world);
  const hash = await store.put('feature-fill', encodeFill({ spec: HASH, partitions: fills }));
  for (const partition of world.logs.keys()) {
    await world.rollOut(partition, 'feature-fill', 2, hash);
    if (partition === 0) for (const step of after) await play(world, step);
  }
  for (const step of late) await play(world, step);

  const atMs =
    Math.max(...[world, whole].flatMap(({ partitions }) => partitions.map((p) => p.logTimeMs))) + 400 * DAY_MS;
  for (const back of [399, 390, 360, 0]) {
    for (const key of KEYS) {
      const found = await serve(changed, world, { key, atMs: atMs - back * DAY_MS });
      const expected = await serve(control, whole, { key, atMs: atMs - back * DAY_MS });
      // What cannot be taken back at once may be found out later that it can: nothing else differs.
      expect({ ...found, seed, inexact: [] }).toEqual({ ...expected, seed, inexact: [] });
    }
  }
  // A second run over the same logs leaves the same bytes.
  const again = createTestProcessor(store);
  const recomputed = new TestWorld(again);
  for (const { records } of world.logs) for (const record of records) await recomputed.processAgain(record);
  for (const [index, { states }] of world.partitions.entries()) {
    expect(encodeStates(again, recomputed.partitions[index]?.states)).toEqual(encodeStates(changed, states));
  }
  const profiles = world.partitions.flatMap(({ states }) =>
    [...states.values()].map((stored) => toParts(stored).profile),
  );
  const series = profiles.flatMap((profile) => profile?.outliers ?? []);
  return series.reduce((sum, one) => sum + one.flagged, 0);
}

/** Cuts steps into five: the first and the third and the fifth are long, the others short. */
function cut(random: Random, steps: readonly Step[], lengths: readonly number[]): Step[][] {
  const first = Math.floor(random() * steps.length * 0.8);
  let from = 0;
  return lengths.map((length, index) => {
    const until =
      index === 0 ? first : index === lengths.length - 1 ? steps.length : from + Math.floor(random() * length);
    const piece = steps.slice(from, until);
    from = Math.min(steps.length, until);
    return piece;
  });
}

/** New features are null for who had events before, and known for others; the old ones go on. */
function checkFillingAnswers({ specs }: TestProcessor, { partitions }: TestWorld): void {
  for (const { states, inForce } of partitions) {
    expect(isFilling(inForce, undefined)).toBe(true);
    for (const [userId, stored] of states) {
      const { profile } = toParts(stored);
      if (profile === undefined) continue;
      const spec = specs.inForce({ hash: HASH });
      const context = { spec, specs, currency: 'USD', logTimeMs: 0, isFilling: true, part: undefined };
      const { features } = serveProfile(userId, profile, context);
      // A count is null only while it is filled.
      expect(features.pages_30d === null).toBe(profile.engine.specHash !== spec.specHash);
      // Zero, where all that a profile did was taken back.
      expect(features.events_count_all).toEqual(expect.any(Number));
    }
  }
}

/** The archive grows meanwhile; now and then the process ends after some reads, or has little memory. */
async function fillWithInterruptions(
  random: Random,
  processor: TestProcessor,
  { logs, store }: { logs: readonly TestLog[]; store: ReturnType<typeof createMemoryArtifacts> },
): Promise<PartitionFill[]> {
  const blobs = new MemoryBlobStore();
  const limits: Partial<FillLimits> = {
    recordsAtOnceMax: 1 + Math.floor(random() * 9),
    checkpointRecords: 1 + Math.floor(random() * 20),
    stateBytesMax: random() < 0.5 ? 600 : 1e9,
    dutyShareMax: 1,
  };
  const target = toTarget(processor, HASH);
  const fills: PartitionFill[] = [];
  for (const partition of logs.keys()) {
    let fill: PartitionFill | undefined;
    for (let reach = 5; fill === undefined; reach += 20) {
      const archive = toArchive(logs, { reach });
      const options = { namespace: NAMESPACE, archive, blobs, store, target, limits };
      const stopping = new AbortController();
      const stopAfter = 1 + Math.floor(random() * 4);
      let files = 0;
      const onProgress = () => {
        files++;
        if (files >= stopAfter && random() < 0.3) stopping.abort();
      };
      fill = await fillPartition({ ...options, onProgress, signal: stopping.signal }, partition).catch((error) => {
        if (stopping.signal.aborted) return undefined;
        throw error;
      });
      if (random() < 0.1) blobs.objects.delete(toFillNames(NAMESPACE, HASH, partition).checkpoint);
    }
    const calm = await fillPartition(
      { namespace: NAMESPACE, archive: toArchive(logs), blobs: new MemoryBlobStore(), store, target },
      partition,
    );
    expect(fill).toEqual(calm);
    fills.push(fill);
  }
  return fills;
}

async function serve(
  { specs, artifacts }: TestProcessor,
  { partitions }: TestWorld,
  { key, atMs }: { key: string; atMs: number },
) {
  const readStates = async (keys: readonly string[]) =>
    keys.map((one) => {
      const { states, inForce } = must(partitions[partitionOf(one)], 'a partition');
      return { state: states.get(one), logTimeMs: atMs, inForce };
    });
  const read = must((await readJoined(readStates, [key]))[0], 'a profile');
  const { state, inForce, ownKeys } = read;
  const fill = await artifacts.fills.get(inForce);
  const part = fill && state && (await artifacts.fills.loadParts(fill, toPartKeys(ownKeys, state)));
  const spec = specs.inForce(inForce.get('features'));
  const context = { spec, specs, currency: 'USD', logTimeMs: atMs, isFilling: isFilling(inForce, fill), fill, part };
  return serveProfile(key, state, context);
}

function encodeStates({ processor }: TestProcessor, states: TestPartition['states'] | undefined) {
  return [...(states ?? [])].map(([key, state]) => `${key} ${processor.codec.encode(state).toString('hex')}`).sort();
}

function isFeaturesRollout({ value }: { value: Buffer | null }): boolean {
  return value?.includes('features') === true && !value.includes('feature-');
}

type Step = TestEvent | { readonly tickMs: number } | { readonly taken: TestEvent };

/** Ticks and events: late ones, repeats under the same and under other message ids, days of silence, joins, events that are taken back. */
function drawHistory(random: Random): readonly Step[] {
  let nowMs = START_MS;
  const single: TestEvent[] = [];
  return Array.from({ length: 160 }, (_, i): Step => {
    nowMs += Math.floor(random() * (random() < 0.1 ? 40 * DAY_MS : 8 * HOUR_MS));
    if (random() < 0.15) return { tickMs: nowMs };
    const taken = random() < 0.12 ? single[Math.floor(random() * single.length)] : undefined;
    if (taken !== undefined) return { taken };
    const isOrder = random() < 0.5;
    const repeats = random() < 0.15;
    const key = must(KEYS[Math.floor(random() * KEYS.length)], 'a key');
    if (random() < 0.3) {
      // Under an id that nothing else has: it counts, and may be taken back.
      const times = { timestampMs: nowMs - Math.floor(random() * 20 * DAY_MS), receivedAtMs: nowMs };
      const properties = {
        order_id: `single ${i}`,
        revenue: Math.floor(random() * 99),
        paid: drawPaid(random),
      };
      const event = { key, messageId: `s${i}`, type: 'track', name: 'Order Completed', ...times, properties };
      single.push(event);
      return event;
    }
    return {
      key,
      claims: !key.startsWith('device') && random() < 0.1 ? DEVICES[Math.floor(random() * DEVICES.length)] : undefined,
      messageId: `m${repeats ? Math.max(0, i - Math.floor(random() * 12)) : i}`,
      timestampMs: nowMs - (random() < 0.3 ? Math.floor(random() * 20 * DAY_MS) : 0),
      receivedAtMs: nowMs,
      type: isOrder ? 'track' : 'page',
      name: isOrder ? 'Order Completed' : 'Home',
      properties: isOrder
        ? {
            order_id: `o${Math.floor(random() * 40)}`,
            revenue: Math.floor(random() * 99),
            paid: drawPaid(random),
          }
        : {},
    };
  });
}

/** Of a profile's values some are far from the others. */
function drawPaid(random: Random): number {
  return random() < 0.2 ? 100 + Math.floor(random() * 99) : 8 + Math.floor(random() * 3);
}

async function play(world: TestWorld, step: Step): Promise<void> {
  if ('taken' in step) return world.retract(step.taken);
  if (!('tickMs' in step)) return world.event(step);
  for (const partition of world.logs.keys()) await world.control(partition, { kind: 'tick', timeMs: step.tickMs });
}
