import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { type Clock, createSeededRandom, Mutex, must } from '@perennial/kernel';
import { MemoryPartitionStore } from '@perennial/keyed-processor/testing';
import { toFence } from '../partition/ownership.js';
import { OutboxPublisher } from '../partition/publisher.js';
import { EMPTY_META, type PartitionMeta, type StoredProfile } from '../store/store.js';
import { createHarness, impatientClock, RecordingProducer, silentTelemetry } from '../worker-test-kit.js';
import { ChangedKeys } from './changed-keys.js';
import { decodeChunk, encodeChunk } from './snapshot-format.js';
import { toCounted } from './snapshot-restore.js';
import { removeOldSnapshots } from './snapshot-retention.js';
import {
  CHUNKS,
  createTurbulentInput,
  MANIFESTS,
  openTestArchive,
  openTestSnapshots,
  RESTLESS_LIMITS,
  readManifests,
} from './snapshot-test-kit.js';
import { writeSnapshot } from './snapshot-writer.js';

/** A partition of a few profiles, whose owner commits on request. */
async function createSource(states: Readonly<Record<string, string>>) {
  const store = new MemoryPartitionStore();
  const blobs = new MemoryBlobStore();
  const producer = new RecordingProducer();
  const publisher = new OutboxPublisher(producer, {
    partition: 0,
    retryInitialMs: 1,
    retryMaxMs: 1,
    clock: impatientClock,
    random: () => 0.5,
    telemetry: silentTelemetry,
    onFailed: () => undefined,
  });
  const source = {
    owner: 'one',
    mutex: new Mutex(),
    publisher,
    changes: new ChangedKeys(10),
    meta: EMPTY_META as PartitionMeta,
  };
  const stop = new AbortController();
  const options = {
    source,
    store,
    archive: openTestArchive(blobs),
    limits: RESTLESS_LIMITS,
    clock: impatientClock,
    signal: stop.signal,
  };
  async function commit(changes: Readonly<Record<string, string | null>>): Promise<void> {
    const entries = Object.entries(changes).map(
      ([key, state]) => [key, state === null ? null : Buffer.from(state)] as const,
    );
    source.changes.note(entries);
    const meta = toCounted({ ...source.meta, next: source.meta.next + 1 });
    await store.commit(toFence(source), { meta, states: entries, timers: [], outbox: undefined, acknowledged: [] });
    source.meta = meta;
  }
  await store.acquire('one');
  await commit(states);
  return { store, blobs, producer, publisher, source, options, commit, stop };
}

const toText = (profiles: readonly StoredProfile[]) =>
  Object.fromEntries(profiles.map(({ key, state }) => [key, state?.toString() ?? null]));

function readProfiles(blobs: MemoryBlobStore, id: string) {
  const chunks = [...blobs.objects].filter(([key]) => key.startsWith(`${CHUNKS}${id}/`)).sort();
  return toText(chunks.flatMap(([, bytes]) => decodeChunk(bytes)));
}

describe('a snapshot', () => {
  it('of a new owner is full; then come increments with what has changed, up to their limit', async () => {
    const { options, commit, blobs } = await createSource({ a: '1', b: '1', c: '1', d: '1', e: '1' });
    const first = await writeSnapshot(options, undefined);
    expect(first).toMatchObject({ parent: null, begin: { next: 1 }, end: 1 });
    expect(first.chunks.map(({ profiles }) => profiles)).toEqual([3, 2]);
    expect(readProfiles(blobs, first.id)).toEqual({ a: '1', b: '1', c: '1', d: '1', e: '1' });

    await commit({ b: '2', e: null, f: '2' });
    const second = await writeSnapshot(options, { manifest: first, increments: 0 });
    expect(second).toMatchObject({ parent: first.id, begin: { next: 2 }, end: 2 });
    expect(readProfiles(blobs, second.id)).toEqual({ b: '2', e: null, f: '2' });

    await commit({ a: '3' });
    const third = await writeSnapshot(options, { manifest: second, increments: RESTLESS_LIMITS.incrementsMax });
    expect(third.parent).toBeNull();
    expect(readProfiles(blobs, third.id)).toEqual({ a: '3', b: '2', c: '1', d: '1', f: '2' });
  });

  it('is full when more has changed than is remembered', async () => {
    const { options, commit } = await createSource({ a: '1' });
    const first = await writeSnapshot(options, undefined);
    await commit(Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, '1'])));
    expect((await writeSnapshot(options, { manifest: first, increments: 0 })).parent).toBeNull();
  });

  it('rests for as long as its chunks took, whatever the clock was set to meanwhile', async () => {
    const { options } = await createSource({ a: '1', b: '1', c: '1', d: '1' });
    const rests: number[] = [];
    let dayMs = 0;
    let steadyMs = 0;
    const clock: Clock = {
      now: () => (dayMs += 86_400_000),
      steadyMs: () => (steadyMs += 10),
      wait: async (ms) => void rests.push(ms),
    };
    const limits = { ...options.limits, timeShareMax: 0.2 };
    await writeSnapshot({ ...options, clock, limits }, undefined);
    // The others are from a round that waits for the partition to have nothing unpublished.
    expect(rests.filter((ms) => ms !== limits.fixedPointWaitMs)).toEqual([40, 40]);
  });

  it('has each chunk placed where it was read, and ends above them all', async () => {
    const { options, commit, store } = await createSource({ a: '1', b: '1', c: '1', d: '1', e: '1', f: '1', g: '1' });
    const scan = store.scan.bind(store);
    store.scan = async (guard, from) => {
      const page = await scan(guard, from);
      await commit({ a: 'later', z: 'new' });
      return page;
    };
    const manifest = await writeSnapshot(options, undefined);
    expect(manifest.begin.next).toBe(1);
    expect(manifest.chunks.map(({ asOf }) => asOf)).toEqual([1, 2, 3]);
    expect(manifest.end).toBe(4);
  });

  it('does not end while something is unpublished, and drops what is acknowledged', async () => {
    const { options, source, store, producer, publisher, blobs } = await createSource({ a: '1' });
    let release = () => {};
    producer.onSend = async (records, write) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      write(records);
    };
    const meta = toCounted({ ...source.meta, next: 2, sequence: 1 });
    const outbox = { sequence: 1, bytes: Buffer.from('owed') };
    await store.commit(toFence(source), { meta, states: [], timers: [], outbox, acknowledged: [] });
    source.meta = meta;
    publisher.add({ sequence: 1, records: [], next: 1 });
    const writing = writeSnapshot(options, undefined);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    expect(await openTestArchive(blobs).list()).toEqual([]);
    release();
    expect(await writing).toMatchObject({ end: 2 });
    expect((await store.acquire('two')).outboxes).toEqual([]);
  });

  it('gives up on a partition that does not come to rest', async () => {
    const { options, source, blobs } = await createSource({ a: '1' });
    source.meta = { ...source.meta, ordinal: 2 };
    await expect(writeSnapshot(options, undefined)).rejects.toMatchObject({ code: 'timeout' });
    expect(blobs.objects.size).toBe(0);
  });

  it.each(['scan', 'commit'] as const)('of a zombie, fenced at its %s, comes to nothing', async (at) => {
    const { options, store, blobs } = await createSource({ a: '1', b: '1', c: '1', d: '1' });
    const original = store[at].bind(store) as (...args: unknown[]) => Promise<never>;
    store[at] = async (...args: unknown[]) => {
      await store.acquire('two');
      return original(...args);
    };
    await expect(writeSnapshot(options, undefined)).rejects.toMatchObject({ code: 'fenced' });
    expect(blobs.objects.size).toBe(0);
  });

  it('of a store that lost commits meanwhile comes to nothing', async () => {
    const { options, store, commit, blobs } = await createSource({ a: '1', b: '1', c: '1', d: '1' });
    await commit({ a: '2' });
    const scan = store.scan.bind(store);
    store.scan = async (guard, from) => {
      const page = await scan(guard, from);
      store.loseCommits(1);
      return page;
    };
    await expect(writeSnapshot(options, undefined)).rejects.toMatchObject({ code: 'fenced' });
    expect(await openTestArchive(blobs).list()).toEqual([]);
  });
});

describe('a chunk', () => {
  it('gives back keys, timers and states, none among them, and is rejected when it is none', () => {
    const profiles: StoredProfile[] = [
      { key: 'ключ', state: Buffer.from([0, 255]), dueAtMs: 1_700_000_000_123 },
      { key: 'gone', state: null, dueAtMs: null },
      { key: 'empty', state: Buffer.alloc(0), dueAtMs: 0 },
    ];
    const bytes = encodeChunk(profiles);
    expect(decodeChunk(bytes)).toEqual(profiles);
    expect(() => decodeChunk(Buffer.from('PNSC\x02'))).toThrow('unknown version 2');
    expect(() => decodeChunk(Buffer.from('else'))).toThrow('not a chunk');
    expect(() => decodeChunk(bytes.subarray(0, bytes.length - 3))).toThrow('cannot be read');
  });
});

describe('old snapshots', () => {
  const DAY_MS = 86_400_000;
  const toId = (begin: number, createdAtMs: number, owner: string) =>
    `${String(begin).padStart(16, '0')}.${createdAtMs}.${owner}`;

  async function write(blobs: MemoryBlobStore, id: string, parent: string | null): Promise<string> {
    const archive = openTestArchive(blobs);
    const chunk = await archive.writeChunk(id, { number: 1, asOf: 0, profiles: [] });
    await archive.writeManifest({
      ...archive.subject,
      version: 1,
      id,
      parent,
      begin: EMPTY_META,
      end: 0,
      chunks: [chunk],
      createdAtMs: 0,
    });
    return id;
  }

  it('go with their increments, except the newest; what may be under way stays', async () => {
    const blobs = new MemoryBlobStore();
    const archive = openTestArchive(blobs);
    const first = await write(blobs, toId(1, 10, 'a'), null);
    await write(blobs, toId(2, 20, 'a'), first);
    const second = await write(blobs, toId(3, 30, 'a'), null);
    const child = await write(blobs, toId(4, 40, 'a'), second);
    const third = await write(blobs, toId(5, 50, 'b'), null);
    const orphan = await write(blobs, toId(6, 60, 'zombie'), toId(0, 0, 'gone'));
    await archive.writeChunk(toId(7, 2 * DAY_MS, 'c'), { number: 1, asOf: 0, profiles: [] });
    await archive.writeChunk(toId(0, 5, 'c'), { number: 1, asOf: 0, profiles: [] });

    expect(await removeOldSnapshots(archive, RESTLESS_LIMITS, DAY_MS)).toBe(2);
    expect(await archive.list()).toEqual([orphan, third, child, second]);
    expect(await removeOldSnapshots(archive, RESTLESS_LIMITS, 2 * DAY_MS)).toBe(2);
    expect(await archive.list()).toEqual([third, child, second]);
    expect(await archive.listWithChunks()).toEqual([second, child, third, toId(7, 2 * DAY_MS, 'c')]);
  });

  it('are removed while a partition is worked on: what is kept stays bounded', async () => {
    const store = new MemoryPartitionStore();
    const blobs = new MemoryBlobStore();
    const input = createTurbulentInput(createSeededRandom(5), 400);
    const snapshots = openTestSnapshots({
      store,
      blobs,
      readReach: () => ({ low: 0, high: input.length, committed: undefined }),
    });
    const harness = createHarness({ input, store, producer: new RecordingProducer(), owner: 'one', snapshots });
    let most = 0;
    await harness.drain({
      chunk: 1,
      until: () => {
        most = Math.max(most, [...blobs.objects.keys()].filter((key) => key.startsWith(MANIFESTS)).length);
        return false;
      },
    });
    await harness.worker.stop();
    const manifests = readManifests(blobs);
    expect(most).toBeLessThanOrEqual((RESTLESS_LIMITS.lineagesKept + 1) * (RESTLESS_LIMITS.incrementsMax + 1));
    expect(must(manifests.at(-1), 'newest').end).toBeGreaterThan(300);
  });
});
