import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import {
  DAY_MS,
  ECOMMERCE_FEATURES,
  encodeFeatureSpec,
  type FeatureDefinition,
  HOUR_MS,
} from '@perennial/feature-engine';
import { createSeededRandom, must, toSha256 } from '@perennial/kernel';
import { serveProfile } from '../domain/serve.js';
import { encodeFill, type PartitionFill } from './fill-document.js';
import { type FillLimits, fillPartition, toFillNames } from './fill-partition.js';
import {
  createMemoryArtifacts,
  createTestProcessor,
  NAMESPACE,
  PARTITIONS,
  partitionOf,
  TestLog,
  TestPartition,
  type TestProcessor,
  toArchive,
  toTarget,
} from './fill-test-kit.js';
import { isFilling } from './fills.js';

const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const RUNS = 8;
const START_MS = Date.UTC(2024, 0, 10);
const KEYS = Array.from({ length: 12 }, (_, i) => `profile-${i}`);
const page = { type: 'page', name: undefined };
const order = { type: 'track', name: 'Order Completed' };
const amount = { kind: 'amount', properties: ['paid'], absolute: false } as const;
const GROWN: readonly FeatureDefinition[] = [
  { name: 'pages_30d', unit: 'pages', event: page, aggregation: 'count', windowMs: 30 * DAY_MS },
  ...ECOMMERCE_FEATURES,
  // Wider than any window of the preset over hours: an accumulator that both have, with a longer reach.
  { name: 'orders_count_14d', unit: 'orders', event: order, aggregation: 'count', windowMs: 14 * DAY_MS },
  { name: 'order_max_all', unit: 'money', event: order, measure: amount, aggregation: 'max', windowMs: undefined },
  { name: 'order_std_90d', unit: 'money', event: order, measure: amount, aggregation: 'std', windowMs: 90 * DAY_MS },
  { name: 'page_days_all', unit: 'days', event: page, aggregation: 'active_days', windowMs: undefined },
  { name: 'order_gap_std', unit: 'days', event: order, aggregation: 'gap_std' },
];
const HASH = toSha256(encodeFeatureSpec(GROWN));

describe(`a spec that is filled from the archive (seed ${SEED})`, () => {
  it('serves every profile as a run which had it from the start, wherever it begins and is completed', async () => {
    for (let run = 0; run < RUNS; run++) await checkRun(createSeededRandom(SEED + run), `seed ${SEED + run}`);
  }, 120_000);
});

type Random = () => number;

async function checkRun(random: Random, seed: string): Promise<void> {
  const store = createMemoryArtifacts(GROWN);
  const control = createTestProcessor(store);
  const changed = createTestProcessor(store);
  const { early, middle, late } = drawHistory(random);
  const whole = await runAll(control, () => {
    const logs = createLogs();
    for (const log of logs) log.rollOut('features', 2, HASH);
    for (const part of [early, middle, late]) append(logs, part);
    return logs;
  });

  const logs = createLogs();
  append(logs, early);
  // Each partition changes at a position of its own.
  const partitions = logs.map(() => new TestPartition(changed));
  for (const log of logs) {
    log.rollOut('lifecycle', 1, 'c'.repeat(64));
    log.rollOut('feature-filling', 2, HASH);
    log.rollOut('features', 2, HASH);
  }
  append(logs, middle);
  await runRecords(partitions, logs);
  const fills = await fillWithInterruptions(random, changed, { logs, store });
  expect(fills.map(({ until }) => until)).toEqual(logs.map(({ records }) => records.findIndex(isFeaturesRollout)));
  checkFillingAnswers(changed, partitions);
  const hash = await store.put('feature-fill', encodeFill({ spec: HASH, partitions: fills }));
  for (const log of logs) log.rollOut('feature-fill', 2, hash);
  append(logs, late);
  await runRecords(partitions, logs);

  const atMs = Math.max(...[...partitions, ...whole].map(({ logTimeMs }) => logTimeMs)) + DAY_MS;
  for (const key of KEYS) {
    const found = await serve(changed, must(partitions[partitionOf(key)], 'a partition'), { key, atMs });
    const expected = await serve(control, must(whole[partitionOf(key)], 'a partition'), { key, atMs });
    expect({ seed, ...found }).toEqual({ seed, ...expected });
  }
  // A second run over the same log leaves the same bytes.
  const again = logs.map(() => new TestPartition(createTestProcessor(store)));
  await runRecords(again, logs);
  for (const [index, partition] of partitions.entries()) {
    expect(again[index]?.updates).toEqual(partition.updates);
    expect(encodeStates(changed, again[index])).toEqual(encodeStates(changed, partition));
  }
}

/** New features are null for who had events before, and known for others; the old ones go on. */
function checkFillingAnswers(processor: TestProcessor, partitions: readonly TestPartition[]): void {
  for (const partition of partitions) {
    expect(isFilling(partition.inForce, undefined)).toBe(true);
    for (const [userId, state] of partition.states) {
      const spec = processor.specs.inForce({ hash: HASH });
      const context = { spec, specs: processor.specs, currency: 'USD', logTimeMs: 0, isFilling: true, part: undefined };
      const { features } = serveProfile(userId, state, context);
      // A count is null only while it is filled.
      expect(features.pages_30d === null).toBe(state.engine.specHash !== spec.specHash);
      expect(features.events_count_all).toBeGreaterThan(0);
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
      const onProgress = () => ++files >= stopAfter && random() < 0.3 && stopping.abort();
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

function createLogs(): TestLog[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => new TestLog(partition));
}

async function runAll(processor: TestProcessor, makeLogs: () => TestLog[]): Promise<TestPartition[]> {
  const logs = makeLogs();
  const partitions = logs.map(() => new TestPartition(processor));
  await runRecords(partitions, logs);
  return partitions;
}

const ran = new WeakMap<TestPartition, number>();

/** Runs what is new in the logs. */
async function runRecords(partitions: readonly TestPartition[], logs: readonly TestLog[]): Promise<void> {
  for (const [index, partition] of partitions.entries()) {
    const { records } = must(logs[index], 'a log');
    await partition.run(records.slice(ran.get(partition) ?? 0));
    ran.set(partition, records.length);
  }
}

async function serve(
  { specs, artifacts }: TestProcessor,
  { states, inForce }: TestPartition,
  { key, atMs }: { key: string; atMs: number },
) {
  const state = states.get(key);
  const fill = await artifacts.fills.get(inForce);
  const part = fill && (await artifacts.fills.loadPart(fill, key));
  const spec = specs.inForce(inForce.get('features'));
  const context = { spec, specs, currency: 'USD', logTimeMs: atMs, isFilling: isFilling(inForce, fill), fill, part };
  const { asOf, ...served } = serveProfile(key, state, context);
  return served;
}

function encodeStates({ processor }: TestProcessor, partition: TestPartition | undefined) {
  return [...(partition?.states ?? [])].map(([key, state]) => [key, processor.codec.encode(state).toString('hex')]);
}

function isFeaturesRollout({ value }: { value: Buffer | null }): boolean {
  return value?.includes('features') === true && !value.includes('feature-');
}

type Step = Parameters<TestLog['event']>[0] | { readonly tickMs: number };

/** Ticks and events: late ones, repeats under the same and under other message ids, days of silence. */
function drawHistory(random: Random) {
  let nowMs = START_MS;
  const steps: Step[] = Array.from({ length: 160 }, (_, i): Step => {
    nowMs += Math.floor(random() * (random() < 0.1 ? 40 * DAY_MS : 8 * HOUR_MS));
    if (random() < 0.15) return { tickMs: nowMs };
    const isOrder = random() < 0.5;
    const repeats = random() < 0.15;
    return {
      key: must(KEYS[Math.floor(random() * KEYS.length)], 'a key'),
      messageId: `m${repeats ? Math.max(0, i - Math.floor(random() * 12)) : i}`,
      timestampMs: nowMs - (random() < 0.3 ? Math.floor(random() * 20 * DAY_MS) : 0),
      receivedAtMs: nowMs,
      type: isOrder ? 'track' : 'page',
      name: isOrder ? 'Order Completed' : 'Home',
      properties: isOrder
        ? {
            order_id: `o${Math.floor(random() * 40)}`,
            revenue: Math.floor(random() * 99),
            paid: Math.floor(random() * 9),
          }
        : {},
    };
  });
  const first = Math.floor(random() * steps.length);
  const second = first + Math.floor(random() * (steps.length - first));
  return { early: steps.slice(0, first), middle: steps.slice(first, second), late: steps.slice(second) };
}

function append(logs: readonly TestLog[], steps: readonly Step[]): void {
  for (const step of steps) {
    if ('tickMs' in step) for (const log of logs) log.control({ kind: 'tick', timeMs: step.tickMs });
    else logs[partitionOf(step.key)]?.event(step);
  }
}
