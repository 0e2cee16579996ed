import { describe, expect, it } from '@jest/globals';
import { ECOMMERCE_FEATURES } from '@perennial/feature-engine';
import { toParts, toStored } from '@perennial/identity';
import { AppError, must, systemClock } from '@perennial/kernel';
import type { StatePage } from '@perennial/keyed-processor';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { type AuditStore, createAuditRecords } from '../adapters/audit-records.js';
import { DriftWatch } from '../drift/drift-watch.js';
import {
  createMemoryArtifacts,
  createTestProcessor,
  NAMESPACE,
  PARTITIONS,
  partitionOf,
  TestWorld,
  toArchive,
} from '../fill/fill-test-kit.js';
import { createAuditTelemetry } from './audit-telemetry.js';
import { type LiveAuditOptions, startLiveAudit } from './live-audit.js';

const START_MS = Date.UTC(2024, 0, 10);
const DAY_MS = 86_400_000;
const USERS = Array.from({ length: 12 }, (_, i) => `user-${i}`);
const KEYS = [...USERS, 'device-0'];

/** The commands of Redis that the records need. */
function createMemoryStore(): AuditStore {
  const hashes = new Map<string, Map<string, string>>();
  const lists = new Map<string, string[]>();
  const hash = (key: string) => hashes.get(key) ?? hashes.set(key, new Map()).get(key) ?? new Map<string, string>();
  return {
    hgetall: async (key) => Object.fromEntries(hash(key)),
    async hset(key, fields) {
      for (const [name, value] of Object.entries(fields)) hash(key).set(name, String(value));
      return 1;
    },
    async hincrby(key, field, by) {
      const value = Number(hash(key).get(field) ?? 0) + by;
      hash(key).set(field, String(value));
      return value;
    },
    async lpush(key, ...values) {
      lists.set(key, [...values.reverse(), ...(lists.get(key) ?? [])]);
      return values.length;
    },
    ltrim: async (key, from, to) => lists.set(key, (lists.get(key) ?? []).slice(from, to + 1)),
    lrange: async (key, from, to) => (lists.get(key) ?? []).slice(from, to + 1),
  };
}

/** Partitions with a history of orders, ticks and a join. */
async function createWorld() {
  const processor = createTestProcessor(createMemoryArtifacts(ECOMMERCE_FEATURES));
  const world = new TestWorld(processor);
  for (let i = 0; i < 120; i++) {
    const nowMs = START_MS + i * DAY_MS;
    if (i % 7 === 0)
      for (const partition of world.logs.keys()) await world.control(partition, { kind: 'tick', timeMs: nowMs });
    await world.event({
      key: must(KEYS[i % KEYS.length], 'a key'),
      claims: i === 40 ? 'device-0' : undefined,
      messageId: `m${i}`,
      timestampMs: nowMs - 1_000,
      receivedAtMs: nowMs,
      type: 'track',
      name: 'Order Completed',
      properties: { revenue: i },
    });
  }
  return { processor, world };
}

interface Given {
  reach: number;
  hasLease: boolean;
  isAmidTick: boolean;
  isReadable: boolean;
  looks: number;
  pages: number;
  /** A file of the archive was read. */
  onFile: () => void;
  onHold: () => void;
}

/** Pages of the stored states, as Redis gives them; `cursors` gets those of partition 0. */
function createPages({
  world,
  stored,
  given,
  cursors,
}: {
  readonly world: TestWorld;
  readonly stored: ReadonlyArray<ReadonlyMap<string, Buffer>>;
  readonly given: Given;
  readonly cursors: string[];
}) {
  return async (at: { partition: number; cursor: string; count: number; keys: readonly string[] }) => {
    if (!given.isReadable) throw new AppError('dependency_unavailable', 'a partition is being restored');
    given.pages += 1;
    if (at.partition === 0) cursors.push(at.cursor);
    const all = [...must(stored[at.partition], 'a partition')];
    const from = Number(at.cursor);
    const own = all.slice(from, from + at.count);
    const extra = all.filter(([key]) => at.keys.includes(key));
    const { logTimeMs, inForce } = must(world.partitions[at.partition], 'a partition');
    return {
      partition: at.partition,
      next: must(world.logs[at.partition], 'a log').records.length,
      isAmidTick: given.isAmidTick,
      logTimeMs,
      inForce,
      cursor: from + at.count >= all.length ? '0' : String(from + at.count),
      states: new Map([...own, ...extra]),
    } satisfies StatePage;
  };
}

/** Those partitions, their states as bytes, and an audit of them. */
async function setUp(store = createMemoryStore()) {
  const { processor, world } = await createWorld();
  const { codec } = processor.processor;
  const stored = world.partitions.map(
    ({ states }) => new Map([...states].map(([key, state]) => [key, codec.encode(state)] as const)),
  );
  const given: Given = {
    reach: Number.POSITIVE_INFINITY,
    hasLease: true,
    isAmidTick: false,
    isReadable: true,
    looks: 0,
    pages: 0,
    onFile: () => undefined,
    onHold: () => undefined,
  };
  const cursors: string[] = [];
  const metrics = createMetrics({ service: 'f', namespace: NAMESPACE, processMetrics: false });
  const records = createAuditRecords(store, NAMESPACE);
  const readPage = createPages({ world, stored, given, cursors });
  const start = (others: Pick<LiveAuditOptions, 'clock'> & { readonly dutyShareMax?: number } = {}) =>
    startLiveAudit({
      definition: processor.processor,
      specs: processor.specs,
      loadSpecs: processor.artifacts.loadAll,
      loadRates: processor.artifacts.rates,
      fills: processor.artifacts.fills,
      decode: codec.decode,
      partitions: PARTITIONS,
      archive: {
        list: async () => (await toArchive(world.logs, given).list()) as never,
        async *readLog(archived, end) {
          for await (const file of toArchive(world.logs, given).readLog(archived, end)) {
            given.onFile();
            yield file as never;
          }
        },
      },
      readPage,
      lease: {
        async hold() {
          given.looks += 1;
          given.onHold();
          return given.hasLease;
        },
      },
      records,
      telemetry: createAuditTelemetry(createSilentLogger(), metrics),
      drift: new DriftWatch(metrics),
      loadBaseline: async () => ({ orders_count_all: { edges: [], shares: [1, 0] } }),
      limits: { intervalMs: 1, dutyShareMax: others.dutyShareMax ?? 1, profilesAtOnce: 4 },
      ...(others.clock && { clock: others.clock }),
    });
  const until = async (isDone: () => Promise<boolean> | boolean) => {
    while (!(await isDone())) await new Promise((resolve) => setImmediate(resolve));
  };
  const passesAre = (count: number) =>
    until(async () => (await records.readStatus(PARTITIONS)).passes.every((passes) => passes >= count));
  const looked = (times: number, from = given.looks) => until(() => given.looks >= from + times);
  return { given, codec, cursors, stored, records, start, passesAre, looked, text: () => metrics.registry.metrics() };
}

describe('the running audit of features', () => {
  it('compares every profile again and again, joined ones too, and finds nothing wrong', async () => {
    const { start, passesAre, records, text } = await setUp();
    const audit = start();
    await passesAre(2);
    await audit.stop();
    const { profiles, mismatches, lastSuccessAt } = await records.readStatus(PARTITIONS);
    expect(mismatches).toBe(0);
    expect(profiles).toBeGreaterThanOrEqual(2 * KEYS.length);
    expect(Date.parse(lastSuccessAt ?? '')).toBeGreaterThan(0);
    expect((await records.readDrift()).profiles).toBeGreaterThanOrEqual(2 * USERS.length);
    expect(await text()).toMatch(/feature_skew_mismatches_total\{.*\} 0\n/);
    expect(await text()).toMatch(/feature_audit_failures_total\{.*\} 0\n/);
  });

  it('finds a bit that is flipped in a stored state: profile, feature, both values, position', async () => {
    const { stored, start, passesAre, records, text } = await setUp();
    const states = must(stored[partitionOf('user-3')], 'a partition');
    const clean = must(states.get('user-3'), 'a state');
    // Flips the bits of the state one after the other until one is found that can still be read.
    const found = [];
    for (let bit = 8 * 40; bit < 8 * clean.length && found.length === 0; bit += 41) {
      const flipped = Buffer.from(clean);
      flipped[bit >> 3] = must(flipped[bit >> 3], 'a byte') ^ (1 << (bit & 7));
      states.set('user-3', flipped);
      const audit = start();
      await passesAre(1 + Math.max(...(await records.readStatus(PARTITIONS)).passes));
      await audit.stop();
      found.push(...(await records.listMismatches(10)));
    }
    expect(found[0]).toMatchObject({
      profileKey: 'user-3',
      partition: partitionOf('user-3'),
      offset: expect.any(Number),
      feature: expect.any(String),
      served: expect.any(String),
      recomputed: expect.any(String),
      foundAt: expect.any(String),
    });
    expect(await text()).not.toMatch(/feature_skew_mismatches_total\{.*\} 0\n/);
  });

  it('finds a profile that the store has lost, by its key in the archive', async () => {
    const { stored, start, records, passesAre } = await setUp();
    must(stored[partitionOf('user-3')], 'a partition').delete('user-3');
    const audit = start();
    await passesAre(3);
    await audit.stop();
    const [found] = await records.listMismatches(1);
    expect(found).toMatchObject({ profileKey: 'user-3', feature: '(profile)', served: 'none', recomputed: 'one' });
  });

  it('waits for the archive, and says how long', async () => {
    const { given, start, looked, records, passesAre, text } = await setUp();
    given.reach = 5;
    const audit = start();
    await looked(5);
    expect((await records.readStatus(PARTITIONS)).profiles).toBe(0);
    expect(given.pages).toBe(PARTITIONS);
    expect(await text()).toMatch(/feature_audit_waiting_seconds\{.*\} \d/);
    given.reach = Number.POSITIVE_INFINITY;
    await passesAre(1);
    await audit.stop();
    expect((await records.readStatus(PARTITIONS)).mismatches).toBe(0);
  });

  it('does nothing without the lease, amid a tick, and while a partition cannot be read', async () => {
    const { given, start, looked, records } = await setUp();
    given.hasLease = false;
    const audit = start();
    await looked(3);
    expect(given.pages).toBe(0);
    given.isAmidTick = true;
    given.hasLease = true;
    await looked(3);
    given.isReadable = false;
    await looked(3);
    await audit.stop();
    expect(await records.readStatus(PARTITIONS)).toEqual({
      profiles: 0,
      mismatches: 0,
      lastSuccessAt: null,
      passes: [0, 0],
    });
  });

  it('does not take an account for a person when it looks for drift', async () => {
    const { stored, codec, start, passesAre, records } = await setUp();
    const group = { members: [], cutOff: 0, reported: {}, reportedAtMs: 0 };
    for (const states of stored) {
      for (const [key, bytes] of states) {
        const state = codec.decode(bytes);
        const { node, profile } = toParts(state);
        if (profile === undefined) continue;
        states.set(key, codec.encode(must(toStored({ node, profile: { ...profile, group } }, state), 'a state')));
      }
    }
    const audit = start();
    await passesAre(1);
    await audit.stop();
    expect(await records.readStatus(PARTITIONS)).toMatchObject({ mismatches: 0 });
    expect((await records.readDrift()).profiles).toBe(0);
  });

  it('renews its lease amid a page that takes minutes', async () => {
    const { given, start, passesAre } = await setUp();
    let nowMs = 0;
    const held: number[] = [];
    given.onHold = () => held.push(nowMs);
    given.onFile = () => {
      nowMs += 4_000;
    };
    const clock = {
      ...systemClock,
      steadyMs: () => nowMs,
      async wait(ms: number) {
        nowMs += ms;
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
    const audit = start({ clock, dutyShareMax: 0.1 });
    await passesAre(1);
    await audit.stop();
    expect(Math.max(...held.map((atMs, index) => atMs - (held[index - 1] ?? 0)))).toBeLessThan(15_000);
    expect(nowMs).toBeGreaterThan(100_000);
  });

  it('goes on where the process before it was', async () => {
    const store = createMemoryStore();
    const first = await setUp(store);
    const audit = first.start();
    await first.looked(2);
    await audit.stop();
    const cursor = await first.records.readCursor(0);
    const second = await setUp(store);
    const again = second.start();
    await second.looked(3);
    await again.stop();
    expect(second.cursors[0]).toBe(cursor);
  });
});
