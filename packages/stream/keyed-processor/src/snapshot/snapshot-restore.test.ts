import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import type { LogRecord } from '@perennial/kafka';
import { createSeededRandom } from '@perennial/kernel';
import { MemoryPartitionStore, toSeen } from '@perennial/keyed-processor/testing';
import { type CommitRequest, EMPTY_META, type Fence } from '../store/store.js';
import { createHarness, RecordingProducer } from '../worker-test-kit.js';
import { toSnapshotId } from './snapshot-archive.js';
import { FORMAT_VERSION } from './snapshot-format.js';
import {
  createTurbulentInput,
  Mortal,
  openTestArchive,
  openTestSnapshots,
  readManifests,
  withoutCounts,
} from './snapshot-test-kit.js';

/*
 * A store is emptied at any moment while processes crash at any point: it must be restored as if nothing had happened,
 * with the same states and timers, and the same records for a reader who drops repeats.
 */

const LIMITS = { batchItemsMax: 4, timersPerLoadMax: 2, drainMs: 1 };

class World {
  readonly store = new MemoryPartitionStore();
  readonly blobs = new MemoryBlobStore();
  readonly producer = new RecordingProducer();
  readonly input: readonly LogRecord[];
  #owners = 0;

  constructor(input: readonly LogRecord[]) {
    this.input = input;
  }

  /** A process in this world. */
  join(mortal = new Mortal()) {
    const store = mortal.store(this.store);
    const readReach = () => ({ low: 0, high: this.input.length, committed: this.producer.written.length });
    const snapshots = openTestSnapshots({ store, blobs: mortal.blobs(this.blobs), readReach });
    return createHarness({
      input: this.input,
      store,
      producer: mortal.producer(this.producer),
      owner: `owner${this.#owners++}`,
      limits: LIMITS,
      snapshots,
    });
  }

  result() {
    return { contents: withoutCounts(this.store), seen: toSeen(this.producer.written) };
  }
}

async function runUndisturbed(input: readonly LogRecord[]) {
  const store = new MemoryPartitionStore();
  const producer = new RecordingProducer();
  const harness = createHarness({ input, store, producer, owner: 'calm', limits: LIMITS });
  await harness.drain();
  await harness.worker.stop();
  return { contents: withoutCounts(store), seen: toSeen(producer.written) };
}

/** Waits for some iterations of the event loop, so that reads of a snapshot and commits interleave in many ways. */
function createPause(random: () => number): () => Promise<void> {
  return async () => {
    for (let left = Math.floor(random() * 4); left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
  };
}

describe('a restore from a fuzzy snapshot', () => {
  it.each(Array.from({ length: 30 }, (_, i) => i + 1))(
    'after the store was emptied and the process died with it, equals an undisturbed run (seed %i)',
    async (seed) => {
      const random = createSeededRandom(seed);
      const input = createTurbulentInput(random, 200);
      const calm = await runUndisturbed(input);
      const world = new World(input);
      for (const share of [0.3, 0.6, 0.9]) {
        const mortal = new Mortal({ pause: createPause(random) });
        const harness = world.join(mortal);
        const until = Math.floor((share + random() * 0.1) * input.length);
        await harness.drain({
          chunk: 1 + Math.floor(random() * 8),
          until: () => (harness.worker.next ?? 0) >= until && !harness.worker.restoring,
        });
        mortal.dead = true;
        void harness.worker.stop();
        world.store.empty();
      }
      const last = world.join();
      await last.drain();
      await last.worker.stop();
      expect(world.result()).toEqual(calm);
      expect(readManifests(world.blobs).some(({ end }) => end > 0)).toBe(true);
    },
  );

  it('is done by the same process, when it learns from its next commit that the store is empty', async () => {
    const input = createTurbulentInput(createSeededRandom(7), 150);
    const world = new World(input);
    const harness = world.join(new Mortal({ pause: createPause(createSeededRandom(8)) }));
    await harness.drain({ until: () => (harness.worker.next ?? 0) >= 100 });
    world.store.empty();
    expect(harness.worker.ready).toBe(true);
    await harness.drain({ until: () => harness.worker.restoring });
    expect(harness.worker.ready).toBe(false);
    await harness.drain();
    expect(harness.worker.ready).toBe(true);
    await harness.worker.stop();
    expect(world.result()).toEqual(await runUndisturbed(input));
  });

  it('interrupted at any point, is begun again cleanly by whoever comes next', async () => {
    const input = createTurbulentInput(createSeededRandom(3), 120);
    const calm = await runUndisturbed(input);
    const random = createSeededRandom(4);
    let crashed = 0;
    // Each of the first operations, then every third.
    for (let diesAt = 1; ; diesAt += diesAt < 40 ? 1 : 3) {
      const world = new World(input);
      const first = world.join(new Mortal({ pause: createPause(random) }));
      await first.drain({ until: () => (first.worker.next ?? 0) >= 100 });
      await first.worker.stop();
      world.store.empty();
      const mortal = new Mortal({ diesAt });
      const second = world.join(mortal);
      let restored = false;
      await second.drain({
        until: () => {
          restored = second.worker.ready;
          return mortal.dead || restored;
        },
      });
      mortal.dead = true;
      void second.worker.stop();
      const third = world.join();
      await third.drain();
      await third.worker.stop();
      expect({ diesAt, ...world.result() }).toEqual({ diesAt, ...calm });
      if (restored) break;
      crashed++;
    }
    expect(crashed).toBeGreaterThan(20);
  });
});

describe('a chunk that was put in', () => {
  const isChunk = (fence: Fence, { meta, states }: CommitRequest) =>
    meta.restoring !== undefined && states.length > 0 && fence.next === meta.next;

  /** A restore after `work` has changed the store; returns how many chunks were loaded. */
  async function restoreWith(seed: number, work: (world: World, repeat: () => Promise<void>) => Promise<unknown>) {
    const input = createTurbulentInput(createSeededRandom(seed), 120);
    const world = new World(input);
    const first = world.join(new Mortal({ pause: createPause(createSeededRandom(seed)) }));
    await first.drain({ until: () => (first.worker.next ?? 0) >= 100 });
    await first.worker.stop();
    world.store.empty();
    const commit = world.store.commit.bind(world.store);
    let chunks = 0;
    world.store.commit = async (fence, request) => {
      await commit(fence, request);
      if (!isChunk(fence, request)) return;
      chunks++;
      await work(world, () => commit(fence, request));
    };
    const second = world.join();
    await second.drain();
    await second.worker.stop();
    expect(world.result()).toEqual(await runUndisturbed(input));
    return chunks;
  }

  it.each([1, 2, 3, 4, 5, 6])('is missed when a failover takes it back (seed %i)', async (seed) => {
    let count = 0;
    const lost = 2 * seed;
    const chunks = await restoreWith(seed, async ({ store }) => {
      if (++count === lost) store.loseCommits(1);
    });
    expect(chunks).toBeGreaterThan(lost);
  });

  it.each([1, 2, 3, 4])('does not go on top of others when a client repeats it (seed %i)', async (seed) => {
    let before: (() => Promise<void>) | undefined;
    const fenced: unknown[] = [];
    const chunks = await restoreWith(seed, async (_world, again) => {
      await before?.().catch((error: unknown) => fenced.push(error));
      before = again;
    });
    expect(fenced).toHaveLength(chunks - 1);
    expect(chunks).toBeGreaterThan(3);
  });
});

describe('a restore that has no record to catch up with', () => {
  it('is missed when a failover takes back all of it, its end included', async () => {
    const world = new World(createTurbulentInput(createSeededRandom(5), 40));
    const first = world.join();
    await first.drain({ chunk: 1, until: () => (first.worker.next ?? 0) >= 30 });
    const isWhole = () => readManifests(world.blobs).some(({ begin, end }) => begin.next === end && end >= 30);
    for (let turns = 0; turns < 2000 && !isWhole(); turns++) await new Promise((resolve) => setImmediate(resolve));
    await first.worker.stop();
    world.store.empty();
    const commit = world.store.commit.bind(world.store);
    let restoring = 0;
    let lost = 0;
    world.store.commit = async (fence, request) => {
      await commit(fence, request);
      if (request.meta.restoring !== undefined) restoring++;
      else if (lost === 0) {
        // All but the restore mark.
        lost = restoring;
        world.store.loseCommits(lost);
      }
    };
    const second = world.join();
    await second.drain();
    await second.worker.stop();
    expect(lost).toBeGreaterThan(1);
    expect(world.result()).toEqual(await runUndisturbed(world.input));
  });
});

describe('a process that dies in the middle of a snapshot', () => {
  it.each([1, 5, 9, 14, 20, 27, 35, 44, 54, 65, 77, 90, 104, 130, 170])(
    'at operation %i leaves nothing that a restore could trip over',
    async (diesAt) => {
      const input = createTurbulentInput(createSeededRandom(11), 100);
      const world = new World(input);
      const mortal = new Mortal({ diesAt, pause: createPause(createSeededRandom(diesAt)) });
      const first = world.join(mortal);
      await first.drain({ until: () => mortal.dead });
      void first.worker.stop();
      world.store.empty();
      const second = world.join();
      await second.drain();
      await second.worker.stop();
      expect(world.result()).toEqual(await runUndisturbed(input));
    },
  );
});

describe('an owner without records', () => {
  it('learns from its snapshot that a failover brought dropped outboxes back, and owns the partition anew', async () => {
    const world = new World(createTurbulentInput(createSeededRandom(5), 30));
    const end = world.input.length;
    const { commit, store } = { commit: world.store.commit.bind(world.store), store: world.store };
    let lost = false;
    store.commit = async (fence, request) => {
      await commit(fence, request);
      const isEndOfSnapshot = fence.next === end && request.meta.next === end && request.acknowledged.length > 0;
      if (!isEndOfSnapshot || lost) return;
      lost = true;
      store.loseCommits(1);
    };
    const { worker, drain } = world.join();
    await drain();
    const ended = () => readManifests(world.blobs).some((manifest) => manifest.end === end);
    for (let turns = 0; turns < 2000 && !ended(); turns++) await new Promise((resolve) => setImmediate(resolve));
    await worker.stop();
    expect({ lost, ended: ended() }).toEqual({ lost: true, ended: true });
    expect((await store.acquire('next')).outboxes).toEqual([]);
    expect(world.result()).toEqual(await runUndisturbed(world.input));
  });
});

describe('a snapshot of a process whose clock was ahead', () => {
  it('does not keep others from writing theirs', async () => {
    const world = new World(createTurbulentInput(createSeededRandom(6), 30));
    const archive = openTestArchive(world.blobs);
    const createdAtMs = 1e9;
    const id = toSnapshotId({ beginNext: 0, createdAtMs, owner: 'ahead' });
    const base = { ...archive.subject, version: FORMAT_VERSION, id, parent: null, createdAtMs } as const;
    await archive.writeManifest({ ...base, begin: EMPTY_META, end: 0, chunks: [] });
    const { worker, drain } = world.join();
    await drain();
    const written = () => readManifests(world.blobs).some(({ end }) => end === world.input.length);
    for (let turns = 0; turns < 2000 && !written(); turns++) await new Promise((resolve) => setImmediate(resolve));
    await worker.stop();
    expect(written()).toBe(true);
  });
});
