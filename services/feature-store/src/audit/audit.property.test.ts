import { describe, expect, it } from '@jest/globals';
import { type AuditMismatch, FeatureRecord } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, type FeatureSpecs } from '@perennial/feature-engine';
import { createSeededRandom, must } from '@perennial/kernel';
import { createMemoryArtifacts, createTestProcessor, TestWorld } from '../fill/fill-test-kit.js';
import { compareServed } from './compare-served.js';
import { Recomputation } from './recompute.js';
import { ServedSample } from './served-sample.js';

const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const START_MS = Date.UTC(2024, 0, 10);
const DAY_MS = 86_400_000;
const DEVICES = ['device-0', 'device-1'];
const KEYS = [...Array.from({ length: 8 }, (_, i) => `user-${i}`), ...DEVICES];

/** A world with a history of events, ticks and joins. */
async function createWorld(seed: number) {
  const random = createSeededRandom(seed);
  const processor = createTestProcessor(createMemoryArtifacts(ECOMMERCE_FEATURES));
  const world = new TestWorld(processor);
  let nowMs = START_MS;
  for (let i = 0; i < 200; i++) {
    nowMs += Math.floor(random() * 2 * DAY_MS);
    if (random() < 0.2) {
      for (const partition of world.logs.keys()) await world.control(partition, { kind: 'tick', timeMs: nowMs });
      continue;
    }
    const key = must(KEYS[Math.floor(random() * KEYS.length)], 'a key');
    await world.event({
      key,
      claims: !key.startsWith('device') && random() < 0.1 ? DEVICES[i % 2] : undefined,
      messageId: `m${i}`,
      timestampMs: nowMs - Math.floor(random() * DAY_MS),
      receivedAtMs: nowMs,
      type: 'track',
      name: 'Order Completed',
      properties: { revenue: Math.floor(random() * 99) },
    });
  }
  return { world, processor };
}

type World = Awaited<ReturnType<typeof createWorld>>;

async function audit(
  { world, processor }: World,
  profilesMax: number,
  damage: (value: Buffer, n: number) => Buffer = (value) => value,
) {
  const sample = new ServedSample({ profilesMax, seed: 's' });
  for (const [n, { key, partition, offset, value }] of world.updates.entries()) {
    const headers = { 'pn-position': `feature-store/${partition}:${offset}:0` };
    sample.take({ partition, key: Buffer.from(key), value: damage(value, n), headers });
  }
  let compared = 0;
  const mismatches: AuditMismatch[] = [];
  for (const [partition, { records }] of world.logs.entries()) {
    const keys = sample.keysOf(partition);
    const found = await new Recomputation(processor.processor, keys).take(records);
    for (const key of keys) {
      const own = found.filter((update) => update.key === key);
      const at = { partition, specs: processor.specs, reach: sample.reachOf(partition) };
      const result = compareServed(sample.updatesOf(key), own, at);
      compared += result.compared;
      mismatches.push(...result.mismatches);
    }
  }
  return { compared, mismatches };
}

/** The vector with another value of one feature. */
function corrupt(value: Buffer, name: string, specs: FeatureSpecs): Buffer {
  const { record } = FeatureRecord.decode(value);
  if (record?.$case !== 'updated') return value;
  const index = specs.initial.names.indexOf(name);
  const values = record.value.values.map((old, i) => (i === index ? old + 2 ** -40 : old));
  return Buffer.from(
    FeatureRecord.encode({ record: { $case: 'updated', value: { ...record.value, values } } }).finish(),
  );
}

describe(`an audit of features (seed ${SEED})`, () => {
  it('finds every vector of every profile again, bit for bit, joins and timers included', async () => {
    for (let run = 0; run < 5; run++) {
      const world = await createWorld(SEED + run);
      const { compared, mismatches } = await audit(world, 1_000);
      expect(mismatches).toEqual([]);
      // The first record of a partition may be one of several that one cause had.
      expect(compared).toBe(world.world.updates.length);
    }
  });

  it('names profile, position, feature and both values where one digit differs', async () => {
    const world = await createWorld(SEED);
    const at = world.world.updates.findLastIndex(({ key }) => key.startsWith('user'));
    const { key, partition, offset } = must(world.world.updates[at], 'an update');
    const { specs } = world.processor;
    const { mismatches } = await audit(world, 1_000, (value, n) =>
      n === at ? corrupt(value, 'orders_revenue_sum_all', specs) : value,
    );
    expect(mismatches).toEqual([
      {
        profileKey: key,
        partition,
        offset,
        feature: 'orders_revenue_sum_all',
        served: expect.any(String),
        recomputed: expect.any(String),
      },
    ]);
    const { served, recomputed } = must(mismatches[0], 'a mismatch');
    expect(Number(served) - Number(recomputed)).toBeGreaterThan(0);
  });

  it('reports a vector that was never published', async () => {
    const world = await createWorld(SEED);
    const [lost] = world.world.updates.splice(Math.floor(world.world.updates.length / 2), 1);
    const { mismatches } = await audit(world, 1_000);
    const { key: profileKey, partition, offset } = must(lost, 'an update');
    const isFirst = !world.world.updates.some((update) => update.key === profileKey && update.offset < offset);
    const missing = { profileKey, partition, offset, feature: '(update)', served: 'none', recomputed: 'one' };
    expect(mismatches).toEqual(isFirst ? [] : [missing]);
  });

  it('takes a sample that the seed decides', async () => {
    const world = await createWorld(SEED);
    const { compared, mismatches } = await audit(world, 2);
    expect(mismatches).toEqual([]);
    expect(compared).toBeGreaterThan(0);
    expect(compared).toBeLessThan(world.world.updates.length);
    expect((await audit(world, 2)).compared).toBe(compared);
  });
});
