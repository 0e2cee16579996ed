import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { AppError, createSeededRandom, must, toMessage } from '@perennial/kernel';
import { MemoryPartitionStore, toSeen } from '@perennial/keyed-processor/testing';
import { createHarness, RecordingProducer } from '../worker-test-kit.js';
import type { LogReach } from './snapshot-choice.js';
import { encodeManifest } from './snapshot-format.js';
import {
  CHUNKS,
  createTurbulentInput,
  MANIFESTS,
  openTestSnapshots,
  readManifests,
  withoutCounts,
} from './snapshot-test-kit.js';

const input = createTurbulentInput(createSeededRandom(21), 200);

/** A partition that was processed while snapshots were written, and then lost its store. */
async function loseStore() {
  const store = new MemoryPartitionStore();
  const blobs = new MemoryBlobStore();
  const producer = new RecordingProducer();
  const whole: LogReach = { low: 0, high: input.length, committed: undefined };
  const snapshots = openTestSnapshots({ store, blobs, readReach: () => whole, limits: { lineagesKept: 3 } });
  const harness = createHarness({ input, store, producer, owner: 'before', snapshots });
  await harness.drain();
  await harness.worker.stop();
  const before = { contents: withoutCounts(store), seen: toSeen(producer.written) };
  store.empty();
  return { store, blobs, producer, before };
}

/** Acquires the partition; returns its result and the reported errors. It is stopped at the error after `patience`. */
async function takeOn(
  lost: Awaited<ReturnType<typeof loseStore>>,
  { patience = 0, ...reach }: Partial<LogReach> & { patience?: number } = {},
) {
  const reported: unknown[] = [];
  const damaged: string[] = [];
  const harness = createHarness({
    input,
    store: lost.store,
    producer: lost.producer,
    owner: 'after',
    telemetry: { stalled: (_partition, error) => void reported.push(error) },
    snapshots: openTestSnapshots({
      store: lost.store,
      blobs: lost.blobs,
      readReach: () => ({ low: 0, high: input.length, committed: input.length, ...reach }),
      telemetry: { damaged: (_partition, { snapshot }) => void damaged.push(snapshot) },
    }),
  });
  await harness.drain({ until: () => reported.length > patience });
  await harness.worker.stop();
  return { error: reported[0], damaged, contents: withoutCounts(lost.store), seen: toSeen(lost.producer.written) };
}

/** Index from the end: 0 is the newest. */
const newest = (blobs: MemoryBlobStore, back = 0) => must(readManifests(blobs).at(-1 - back), 'manifest');
const chunkKeysOf = (blobs: MemoryBlobStore, id: string) =>
  [...blobs.objects.keys()].filter((key) => key.startsWith(`${CHUNKS}${id}/`)).sort();

describe('a restore fails visibly', () => {
  it('when the log no longer reaches back to where the snapshot began, and says what to do', async () => {
    const lost = await loseStore();
    const { begin } = newest(lost.blobs);
    const { error, contents } = await takeOn(lost, { low: begin.next + 1 });
    expect(error).toMatchObject({ code: 'contract_violation' });
    expect(toMessage(error)).toMatch(
      new RegExp(`begins at offset ${begin.next}, but the log now begins at ${begin.next + 1}.*Restore`),
    );
    expect(contents.states).toEqual({});
  });

  it('when the log has lost its tail, or is another one', async () => {
    const lost = await loseStore();
    const { error } = await takeOn(lost, { high: newest(lost.blobs).end - 1 });
    expect(toMessage(error)).toContain('the log lost its tail, or is another one');
  });

  it.each([
    ['the log was trimmed', { low: 5, committed: undefined }, 'the log now begins at 5'],
    ['its group has committed an offset', { low: 0, committed: 7 }, 'its group has committed offset 7'],
  ])('when there is no snapshot though %s: never taken for new', async (_what, reach, sign) => {
    const lost = await loseStore();
    lost.blobs.objects.clear();
    const { error } = await takeOn(lost, reach);
    expect(error).toMatchObject({ code: 'contract_violation' });
    expect(toMessage(error)).toContain(sign);
    expect(toMessage(error)).toContain('Check where snapshots are kept');
    expect(lost.blobs.objects.size).toBe(0);
  });

  it('when every snapshot is damaged', async () => {
    const lost = await loseStore();
    for (const key of lost.blobs.objects.keys()) lost.blobs.damage(key);
    const { error } = await takeOn(lost);
    expect(error).toMatchObject({ code: 'data_damaged' });
    expect(toMessage(error)).toContain('can be read. Restore the snapshots from a copy');
  });

  it('with snapshots off, a partition that is half restored', async () => {
    const lost = await loseStore();
    await lost.store.acquire('someone');
    const fence = { owner: 'someone', next: 0, commits: 0 };
    const meta = { ...newest(lost.blobs).begin, restoring: 'some-snapshot' };
    await lost.store.commit(fence, { meta, states: [], timers: [], outbox: undefined, acknowledged: [] });
    const reported: unknown[] = [];
    const harness = createHarness({
      ...lost,
      input,
      owner: 'after',
      telemetry: { stalled: (_partition, error) => void reported.push(error) },
    });
    await harness.drain({ until: () => reported.length > 0 });
    await harness.worker.stop();
    expect(toMessage(reported[0])).toContain('being restored from snapshot some-snapshot, but snapshots are off');
  });
});

describe('a damaged snapshot is reported, and the one before is taken', () => {
  const damages: ReadonlyArray<[what: string, harm: (blobs: MemoryBlobStore) => string]> = [
    [
      'a manifest with a flipped bit',
      (blobs) => {
        const { id } = newest(blobs);
        blobs.damage(MANIFESTS + id);
        return id;
      },
    ],
    ['a chunk with a flipped bit, at the beginning', (blobs) => harmChunk(blobs, 0, (key) => blobs.damage(key))],
    ['a chunk with a flipped bit, met in mid catch-up', (blobs) => harmChunk(blobs, -1, (key) => blobs.damage(key))],
    ['a chunk that is gone', (blobs) => harmChunk(blobs, -1, (key) => void blobs.objects.delete(key))],
    [
      'a chunk that was cut short',
      (blobs) =>
        harmChunk(blobs, 0, (key) => {
          blobs.objects.set(key, must(blobs.objects.get(key), key).subarray(0, 20));
        }),
    ],
    [
      'a manifest of another partition',
      (blobs) => {
        const manifest = newest(blobs);
        blobs.objects.set(MANIFESTS + manifest.id, encodeManifest({ ...manifest, partitions: 2 }));
        return manifest.id;
      },
    ],
    [
      'a full snapshot under increments',
      (blobs) => {
        const increment = must(
          readManifests(blobs).findLast(({ parent }) => parent !== null),
          'increment',
        );
        for (const { id, begin } of readManifests(blobs))
          if (begin.next > increment.begin.next) blobs.objects.delete(MANIFESTS + id);
        const parent = must(increment.parent, 'parent');
        blobs.damage(MANIFESTS + parent);
        return parent;
      },
    ],
  ];

  function harmChunk(blobs: MemoryBlobStore, index: number, harm: (key: string) => void): string {
    const manifest = must(
      readManifests(blobs).findLast(({ chunks }) => chunks.length > 0),
      'manifest with chunks',
    );
    for (const { id, begin } of readManifests(blobs))
      if (begin.next > manifest.begin.next) blobs.objects.delete(MANIFESTS + id);
    harm(must(chunkKeysOf(blobs, manifest.id).at(index), 'chunk'));
    return manifest.id;
  }

  it.each(damages)('%s', async (_what, harm) => {
    const lost = await loseStore();
    const id = harm(lost.blobs);
    // Damage found during catch-up stalls the partition visibly; the next attempt uses the previous snapshot.
    const { error, damaged, contents, seen } = await takeOn(lost, { patience: 1 });
    if (error !== undefined) expect(error).toMatchObject({ code: 'data_damaged' });
    expect(damaged).toContain(id);
    expect({ contents, seen }).toEqual(lost.before);
  });
});

describe('a blob store that is away', () => {
  it('stalls an empty partition visibly, and is asked again', async () => {
    const lost = await loseStore();
    let calls = 0;
    lost.blobs.onCall = () => {
      if (++calls <= 3) throw new AppError('dependency_unavailable', 'the blob store is away', { retriable: true });
    };
    const { error } = await takeOn(lost);
    expect(toMessage(error)).toBe('the blob store is away');
    expect(await takeOn(lost)).toMatchObject({ error: undefined, ...lost.before });
  });

  it('does not hold up a partition whose store is there', async () => {
    const store = new MemoryPartitionStore();
    const blobs = new MemoryBlobStore();
    const producer = new RecordingProducer();
    let failed = 0;
    const snapshots = openTestSnapshots({
      store,
      blobs,
      readReach: () => ({ low: 0, high: input.length, committed: undefined }),
      telemetry: { failed: () => void failed++ },
    });
    const harness = createHarness({ input, store, producer, owner: 'one', snapshots });
    await harness.drain({ until: () => (harness.worker.next ?? 0) >= 20 });
    blobs.onCall = () => {
      throw new AppError('dependency_unavailable', 'the blob store is away', { retriable: true });
    };
    await harness.drain({ chunk: 1 });
    await harness.worker.stop();
    expect(failed).toBeGreaterThan(0);
    expect(toSeen(producer.written)).toHaveLength((await loseStore()).before.seen.length);
  });
});
