import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  AcceptedRecord,
  type FeaturesUpdated,
  type Rollout,
  type SegmentChanged,
  toControl,
} from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { type AppError, must, systemClock, toSha256 } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createScoringArtifacts, type ScoringArtifacts } from '../artifacts.js';
import type { ScoringState } from '../domain/state.js';
import { createScoringProcessor, type ScoringProcessor } from '../processor.js';
import { createScoringTelemetry } from '../telemetry.js';
import { PopulationRunner } from './population-runner.js';

const T0 = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const PARTITIONS = 2;
const SEGMENTS = `version: 1
segments: { buyers: { when: features.orders_count_all >= 1 } }
tags: { top: { kind: rank, owner: crm, by: orders_count_all, top: 2 } }
`;
const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const pseudonymizer = createPseudonymizer('a secret that is long enough for tests');

let artifacts: ScoringArtifacts;
let definition: ScoringProcessor;
let stored: Map<string, Buffer>;

beforeEach(() => {
  stored = new Map();
  const store = { list: async () => [], load: async (_: string, hash: string) => must(stored.get(hash), hash) };
  artifacts = createScoringArtifacts(store, {
    specs,
    loadGraph: () => Promise.reject(new Error('no model in this test')),
    onModelLoaded: () => undefined,
    onConditionError: ({ source }) => {
      throw new Error(source);
    },
  });
  const telemetry = createScoringTelemetry(
    createSilentLogger(),
    createMetrics({ service: 'test', namespace: 'live', processMetrics: false }),
  );
  definition = createScoringProcessor({ namespace: 'live', artifacts, specs, pseudonymizer, telemetry });
});

async function put(bytes: Buffer): Promise<string> {
  const hash = toSha256(bytes);
  stored.set(hash, bytes);
  return hash;
}

/** Two partitions: profiles by key, and what is in force; rollouts that are sent come into force at once. */
class World {
  readonly states = new Map<string, ScoringState>();
  readonly inForce = Array.from({ length: PARTITIONS }, () => new Map<string, Rollout>());
  readonly sent: Rollout[] = [];
  readonly changes: string[] = [];
  nowMs = 0;
  measured = 0;
  /** The process that has the lease. */
  holder: string | undefined;
  /** Partitions that do not read the log for now. */
  readonly lagging = new Set<number>();
  readonly runner = this.createRunner('first');

  createRunner(name: string): PopulationRunner {
    return new PopulationRunner({
      namespace: 'live',
      artifacts,
      specs,
      store: { put: (_, bytes) => put(bytes) },
      hold: async () => {
        this.holder ??= name;
        return this.holder === name;
      },
      readPartitions: async () =>
        this.inForce.map((inForce, partition) => ({
          logTimeMs: this.lagging.has(partition) ? T0 : T0 + this.nowMs,
          inForce,
        })),
      readStates: (partition) => this.#read(partition),
      send: async (records) => {
        for (const { partition, value } of records) {
          const control = toControl(AcceptedRecord.decode(value).record);
          if (control?.kind !== 'rollout') throw new Error('no rollout');
          this.sent.push(control.rollout);
          if (!this.lagging.has(partition)) await this.rollOut(control.rollout, partition);
        }
      },
      telemetry: {
        measured: () => {
          this.measured += 1;
        },
        failed: (error) => Promise.reject(error),
      },
      clock: { ...systemClock, now: () => T0 + this.nowMs, steadyMs: () => this.nowMs },
    });
  }

  async rollOut(rollout: Rollout, ...partitions: number[]): Promise<void> {
    for (const partition of partitions) {
      const inForce = must(this.inForce[partition], 'a partition');
      expect(await definition.loadRollout?.(rollout, inForce)).toBeUndefined();
      inForce.set(rollout.kind, rollout);
    }
  }

  async *#read(partition: number): AsyncIterable<readonly ScoringState[]> {
    yield [...this.states].flatMap(([user, state]) => (toPartition(user) === partition ? [state] : []));
  }

  async order(user: string, orders: number): Promise<void> {
    const key = pseudonymizer.toProfileKey({ userId: user });
    const inForce = must(this.inForce[toPartition(user)], 'a partition');
    const context = { key, partition: 0, offset: 0, ordinal: 0, logTimeMs: T0, inForce };
    const input: FeaturesUpdated = {
      specHash: specs.initial.specHash,
      asOfMs: T0,
      values: specs.initial.names.map((name) => (name === 'orders_count_all' ? orders : 0)),
      lastEventAtMs: T0,
      subject: pseudonymizer.seal(user),
      timeZone: '',
      event: { messageId: 'm', type: 'track', name: 'Order Completed', timestampMs: T0, value: 1 },
      attributes: [],
    };
    const item = { state: this.states.get(user), cause: { kind: 'record', input } as const, context };
    const evidence = await definition.prepare?.([item]);
    const { state, outputs } = definition.step(item, must(evidence?.[0], 'evidence'));
    this.states.set(user, must(state, 'a state'));
    for (const { topic, value } of outputs) {
      if (topic !== 'lifecycle.segment.changed.v1') continue;
      const { segment, change } = JSON.parse(String(value)) as SegmentChanged;
      this.changes.push(`${user}: ${segment} ${change}`);
    }
  }
}

const toPartition = (user: string) => (user < 'c' ? 0 : 1);

async function begin(): Promise<World> {
  const world = new World();
  await world.rollOut({ kind: 'segments', number: 1, hash: await put(Buffer.from(SEGMENTS)) }, 0, 1);
  return world;
}

describe('the population', () => {
  it('is measured over all partitions, and its thresholds hold from their rollout on', async () => {
    const world = await begin();
    for (const [user, orders] of Object.entries({ ada: 1, bob: 9, cem: 5, dan: 3 })) await world.order(user, orders);
    expect(world.changes.filter((change) => change.includes('top'))).toEqual([]);
    await world.runner.run();
    expect(world.sent).toHaveLength(PARTITIONS);
    expect(world.sent[0]).toMatchObject({ kind: 'population-quantiles', number: 1 });
    for (const [user, orders] of Object.entries({ ada: 1, bob: 9, cem: 5, dan: 3 })) await world.order(user, orders);
    expect(world.changes.filter((change) => change.includes('top'))).toEqual(['bob: top entered', 'cem: top entered']);
  });

  it('is written again only when other thresholds follow from it, with the next number', async () => {
    const world = await begin();
    for (const user of ['ada', 'bob', 'cem', 'dan']) await world.order(user, 4);
    await world.runner.run();
    world.nowMs += HOUR_MS;
    await world.runner.run();
    expect(world.sent.map(({ number }) => number)).toEqual([1, 1]);
    for (const user of ['bob', 'cem', 'dan']) await world.order(user, 40);
    await world.runner.run();
    expect(world.sent).toHaveLength(2);
    world.nowMs += HOUR_MS;
    await world.runner.run();
    expect(world.sent.map(({ number }) => number)).toEqual([1, 1, 2, 2]);
  });

  it('is measured by one process of several, and by another one once that has lost the lease', async () => {
    const world = await begin();
    const second = world.createRunner('second');
    await world.order('ada', 4);
    for (let minute = 0; minute < 30; minute++) {
      await world.runner.run();
      await second.run();
      world.nowMs += 60_000;
    }
    expect(world.measured).toBe(2);
    world.holder = 'second';
    await second.run();
    await world.runner.run();
    expect(world.measured).toBe(3);
    expect(world.sent).toHaveLength(PARTITIONS);
  });

  it('is sent once to a partition that lags, and with the next number when it changes meanwhile', async () => {
    const world = await begin();
    world.lagging.add(0).add(1);
    await world.order('ada', 4);
    for (let minute = 0; minute < 60; minute++) {
      await world.runner.run();
      world.nowMs += 60_000;
    }
    expect(world.sent.map(({ number }) => number)).toEqual([1, 1]);
    for (const user of ['bob', 'cem', 'dan']) await world.order(user, 40);
    world.nowMs += HOUR_MS;
    await world.runner.run();
    expect(world.sent.map(({ number }) => number)).toEqual([1, 1, 2, 2]);
    // They have passed its place in the log without it.
    world.lagging.clear();
    await world.runner.run();
    world.nowMs += HOUR_MS;
    await world.runner.run();
    expect(world.sent.map(({ number }) => number)).toEqual([1, 1, 2, 2, 2, 2]);
  });

  it('tells that all who have a value are at the top from that nobody has one', async () => {
    const world = await begin();
    await world.runner.run();
    expect(world.sent.map(({ number }) => number)).toEqual([1, 1]);
    await world.order('ada', 3);
    world.nowMs += HOUR_MS;
    await world.runner.run();
    expect(world.sent.map(({ number }) => number)).toEqual([1, 1, 2, 2]);
    await world.order('ada', 4);
    expect(world.changes.filter((change) => change.includes('top'))).toEqual(['ada: top entered']);
  });

  it('gives a rebuild from the same records the same changes', async () => {
    const orders = [3, 1, 4, 1, 5, 9, 2, 6].map((count, index) => ['abcdefgh'[index] ?? '', count] as const);
    const live = await begin();
    for (const [user, count] of orders.slice(0, 4)) await live.order(user, count);
    await live.runner.run();
    for (const [user, count] of orders) await live.order(user, count);
    const rebuilt = await begin();
    for (const [user, count] of orders.slice(0, 4)) await rebuilt.order(user, count);
    for (const [partition, rollout] of live.sent.entries()) await rebuilt.rollOut(rollout, partition);
    for (const [user, count] of orders) await rebuilt.order(user, count);
    expect(rebuilt.changes).toEqual(live.changes);
    expect(live.changes.some((change) => change.includes('top'))).toBe(true);
  });

  it('is measured where something follows from it alone, and put in force where a partition lacks it', async () => {
    const world = new World();
    await world.runner.run();
    const plain = await put(Buffer.from('version: 1\nsegments: { all: { when: "true" } }\n'));
    await world.rollOut({ kind: 'segments', number: 1, hash: plain }, 0, 1);
    await world.runner.run();
    expect(world.sent).toEqual([]);
    const ranked = await begin();
    await ranked.order('ada', 1);
    await ranked.runner.run();
    ranked.inForce[1]?.delete('population-quantiles');
    ranked.nowMs += HOUR_MS;
    await ranked.runner.run();
    expect(ranked.sent).toHaveLength(3);
    expect(ranked.inForce[1]?.get('population-quantiles')).toEqual(ranked.inForce[0]?.get('population-quantiles'));
  });

  it('that is none is rejected; one that cannot be loaded is waited for', async () => {
    const rollout = { kind: 'population-quantiles', number: 1, hash: await put(Buffer.from('{}')) };
    expect((await artifacts.loadRollout(rollout, new Map()))?.reason).toContain('no population of format 1');
    const missing = artifacts.loadRollout({ ...rollout, hash: 'x' }, new Map());
    await expect(missing).rejects.toMatchObject({ retriable: true } satisfies Partial<AppError>);
  });
});
