import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { AcceptedRecord, type Rollout } from '@perennial/contracts';
import { ECOMMERCE_FEATURES, encodeFeatureSpec, type FeatureDefinition } from '@perennial/feature-engine';
import { AppError, must, toSha256 } from '@perennial/kernel';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { startFillRunner } from './fill-runner.js';
import { readFillStatus } from './fill-status.js';
import { createFillTelemetry } from './fill-telemetry.js';
import {
  createMemoryArtifacts,
  createTestProcessor,
  NAMESPACE,
  PARTITIONS,
  TestWorld,
  toArchive,
} from './fill-test-kit.js';

const GROWN: readonly FeatureDefinition[] = [
  ...ECOMMERCE_FEATURES,
  {
    name: 'pages_all',
    unit: 'pages',
    event: { type: 'page', name: undefined },
    aggregation: 'count',
    windowMs: undefined,
  },
];
const HASH = toSha256(encodeFeatureSpec(GROWN));
const KEYS = Array.from({ length: 6 }, (_, i) => `profile-${i}`);

/** A namespace with three pages of each profile, of which every partition is to be filled. */
async function setUp({ isToBeFilled = true } = {}) {
  const store = createMemoryArtifacts(GROWN);
  const processor = createTestProcessor(store);
  const world = new TestWorld(processor);
  const { logs, partitions } = world;
  for (let i = 0; i < 3 * KEYS.length; i++) {
    const key = must(KEYS[i % KEYS.length], 'a key');
    const at = { timestampMs: 1e12 + i, receivedAtMs: 1e12 + i };
    await world.event({ key, messageId: `m${i}`, type: 'page', name: '', properties: {}, ...at });
  }
  for (const partition of logs.keys()) {
    if (isToBeFilled) await world.rollOut(partition, 'feature-filling', 2, HASH);
    await world.rollOut(partition, 'features', 2, HASH);
  }
  const blobs = new MemoryBlobStore();
  const metrics = createMetrics({ service: 'f', namespace: NAMESPACE, processMetrics: false });
  const written: Rollout[] = [];
  const given = { reach: Number.POSITIVE_INFINITY, isReadable: true, hasLease: true, looks: 0 };
  const archive = {
    list: () => toArchive(logs, given).list(),
    readLog: (...args: Parameters<ReturnType<typeof toArchive>['readLog']>) => toArchive(logs).readLog(...args),
  };
  const runner = startFillRunner({
    namespace: NAMESPACE,
    artifacts: processor.artifacts,
    specs: processor.specs,
    definition: processor.processor as never,
    store,
    blobs,
    archive,
    lease: { hold: async () => given.hasLease },
    async readInForce() {
      given.looks += 1;
      if (!given.isReadable) throw new AppError('dependency_unavailable', 'a partition is being restored');
      return partitions.map(({ inForce }) => inForce);
    },
    async send(records) {
      for (const { partition, value } of records) {
        const { record } = AcceptedRecord.decode(value);
        if (record?.$case === 'rollout') written.push(record.value);
        if (record?.$case === 'rollout') await world.control(partition, { kind: 'rollout', rollout: record.value });
      }
    },
    telemetry: createFillTelemetry(createSilentLogger(), metrics),
    limits: { intervalMs: 1, againMs: 0, dutyShareMax: 1 },
  });
  const status = () =>
    readFillStatus(
      partitions.map(({ inForce }) => inForce),
      { namespace: NAMESPACE, blobs, fills: processor.artifacts.fills },
    );
  /** Until the runner has looked that many times more. */
  const looked = async (times: number) => {
    const until = given.looks + times;
    while (given.looks < until) await new Promise((resolve) => setImmediate(resolve));
  };
  return { runner, given, written, partitions, status, looked, text: () => metrics.registry.metrics() };
}

describe('the runner of fills', () => {
  it('fills every partition, puts the fill in force once, and has nothing more to do then', async () => {
    const { runner, written, partitions, status, looked, text } = await setUp();
    while (written.length < PARTITIONS) await looked(1);
    await looked(3);
    await runner.stop();
    expect(new Set(written.map(({ kind, number, hash }) => `${kind} ${number} ${hash}`)).size).toBe(1);
    expect(partitions.every(({ inForce }) => inForce.get('feature-fill')?.hash === written[0]?.hash)).toBe(true);
    expect(await status()).toMatchObject({ state: 'in force', number: 2, hash: HASH });
    expect((await status()).partitions.reduce((sum, { profiles = 0 }) => sum + profiles, 0)).toBe(KEYS.length);
    expect(await text()).toMatch(/features_fill_age_seconds\{.*\} 0\n/);
    expect(await text()).toMatch(/features_fill_failures_total\{.*\} 0\n/);
  });

  it('waits for the archive, and says how far it is', async () => {
    const { runner, given, written, status, looked, text } = await setUp();
    given.reach = 4;
    await looked(4);
    expect(written).toEqual([]);
    const { state, begunAt, partitions } = await status();
    expect([state, begunAt]).toEqual(['filling', expect.any(String)]);
    expect(partitions).toEqual([0, 1].map((partition) => ({ partition, state: 'folding', next: 4 })));
    expect(await text()).toMatch(/features_fill_progress_ratio\{.*partition="1".*\} 1\n/);
    given.reach = Number.POSITIVE_INFINITY;
    while (written.length < PARTITIONS) await looked(1);
    await runner.stop();
  });

  it('does nothing without the lease, while a partition cannot be read, and for a spec that needs no filling', async () => {
    const other = await setUp();
    other.given.hasLease = false;
    // One fill may have begun before.
    await other.looked(3);
    other.given.isReadable = false;
    await other.looked(3);
    await other.runner.stop();
    const plain = await setUp({ isToBeFilled: false });
    await plain.looked(3);
    await plain.runner.stop();
    expect(plain.written).toEqual([]);
    expect(await plain.status()).toMatchObject({ state: 'none', partitions: [] });
    expect(await other.text()).toMatch(/features_fill_failures_total\{.*\} 0\n/);
  });
});
