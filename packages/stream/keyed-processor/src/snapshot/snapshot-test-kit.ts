import { MemoryBlobStore } from '@perennial/blob-store/testing';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { Mutex } from '@perennial/kernel';
import type { MemoryPartitionStore } from '@perennial/keyed-processor/testing';
import type { PartitionStore } from '../store/store.js';
import { impatientClock, RecordingProducer, toInput } from '../worker-test-kit.js';
import { PartitionSnapshots } from './partition-snapshots.js';
import { SnapshotArchive } from './snapshot-archive.js';
import type { LogReach } from './snapshot-choice.js';
import { decodeManifest, type SnapshotManifest } from './snapshot-format.js';
import { DEFAULT_SNAPSHOT_LIMITS, type SnapshotLimits } from './snapshot-limits.js';
import type { SnapshotTelemetry } from './snapshot-telemetry.js';

/** Snapshots without pause, in chunks of a few profiles. */
export const RESTLESS_LIMITS: SnapshotLimits = {
  ...DEFAULT_SNAPSHOT_LIMITS,
  intervalMs: 1,
  chunkProfilesMax: 3,
  incrementsMax: 3,
  retryInitialMs: 1,
  retryMaxMs: 1,
  blobAttemptsMax: 2,
  fixedPointWaitMs: 1,
};

const silentSnapshotTelemetry: SnapshotTelemetry = {
  written() {},
  failed() {},
  removed() {},
  aged() {},
  restoring() {},
  restored() {},
  damaged() {},
};

const SUBJECT = { namespace: 'test', processor: 'summing', topic: 'in', partition: 0, partitions: 1 };
/** Prefix of `summing`'s manifests. */
export const MANIFESTS = 'test/summing/0/manifests/';
export const CHUNKS = 'test/summing/0/chunks/';

export function openTestArchive(blobs: MemoryBlobStore, limits: SnapshotLimits = RESTLESS_LIMITS): SnapshotArchive {
  return new SnapshotArchive({ blobs, subject: SUBJECT, limits, clock: impatientClock, random: () => 0.5 });
}

/** Snapshots of `summing`'s one partition, over a log whose bounds `readReach` gives. */
export function openTestSnapshots(options: {
  store: PartitionStore;
  blobs: MemoryBlobStore;
  readReach: () => LogReach;
  limits?: Partial<SnapshotLimits>;
  telemetry?: Partial<SnapshotTelemetry>;
}): PartitionSnapshots {
  const limits = { ...RESTLESS_LIMITS, ...options.limits };
  return new PartitionSnapshots({
    store: options.store,
    archive: openTestArchive(options.blobs, limits),
    limits,
    clock: impatientClock,
    telemetry: { ...silentSnapshotTelemetry, ...options.telemetry },
    slot: new Mutex(),
    readReach: async () => options.readReach(),
  });
}

/** The complete snapshots, in the order in which they began. */
export function readManifests(blobs: MemoryBlobStore): SnapshotManifest[] {
  return [...blobs.objects]
    .filter(([key]) => key.startsWith(MANIFESTS))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, bytes]) => decodeManifest(bytes));
}

/** The numbers of commits and outboxes depend on where batches were cut; nothing else may. */
export function withoutCounts(store: MemoryPartitionStore) {
  const { meta, ...rest } = store.contents();
  return { ...rest, meta: { ...meta, sequence: undefined, commits: undefined } };
}

/** Profiles that are created, changed, woken, poisoned and removed, and ticks that wake many at once. */
export function createTurbulentInput(random: () => number, records: number): LogRecord[] {
  let tick = 0;
  return toInput(
    Array.from({ length: records }, (_, i) => {
      const draw = random();
      if (draw < 0.12) {
        tick += Math.floor(random() * 15);
        return { body: { tick } };
      }
      if (i === Math.floor(records / 3)) return { body: { rollout: 3 } };
      const key = `k${Math.floor(random() * 25)}`;
      if (draw < 0.25) return { key, body: { value: 'remove' } };
      if (draw < 0.28) return { key, body: { value: -1 } };
      return { key, body: { value: Math.floor(random() * 100) } };
    }),
  );
}

/** Never resolves: how a crashed process sees its dependencies. */
const silence = () => new Promise<never>(() => {});

/** A process's access to its dependencies, which ends for good before or after the nth operation, or on request. */
export class Mortal {
  dead = false;
  operations = 0;
  readonly #diesAt: number;
  readonly #pause: () => Promise<void>;

  constructor(options: { diesAt?: number; pause?: () => Promise<void> } = {}) {
    this.#diesAt = options.diesAt ?? Number.POSITIVE_INFINITY;
    this.#pause = options.pause ?? (async () => {});
  }

  async do<T>(work: () => Promise<T>): Promise<T> {
    await this.#live();
    await this.#pause();
    if (this.dead) return silence();
    const result = await work();
    await this.#live();
    return result;
  }

  store(real: PartitionStore): PartitionStore {
    return {
      acquire: (owner) => this.do(() => real.acquire(owner)),
      load: (fence, request) => this.do(() => real.load(fence, request)),
      commit: (fence, request) => this.do(() => real.commit(fence, request)),
      scan: (guard, from) => this.do(() => real.scan(guard, from)),
      peek: (guard, keys) => this.do(() => real.peek(guard, keys)),
      wipe: (owner) => this.do(() => real.wipe(owner)),
    };
  }

  blobs(real: MemoryBlobStore): MemoryBlobStore {
    const blobs = new MemoryBlobStore();
    blobs.put = (key, bytes) => this.do(() => real.put(key, bytes));
    blobs.get = (key) => this.do(() => real.get(key));
    blobs.list = (prefix) => this.do(() => real.list(prefix));
    blobs.delete = (key) => this.do(() => real.delete(key));
    return blobs;
  }

  producer(real: RecordingProducer): RecordingProducer {
    const producer = new RecordingProducer();
    producer.onSend = (records: readonly OutgoingRecord[]) => this.do(() => real.send(records));
    return producer;
  }

  async #live(): Promise<void> {
    if (this.dead) await silence();
    if (++this.operations < this.#diesAt) return;
    this.dead = true;
    await silence();
  }
}
