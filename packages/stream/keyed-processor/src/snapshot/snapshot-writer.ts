import { AppError, type Clock, endsWithin } from '@perennial/kernel';
import { type Ownership, toFence } from '../partition/ownership.js';
import { type PartitionMeta, type PartitionStore, type ProfileReading, SCAN_START } from '../store/store.js';
import { type SnapshotArchive, toSnapshotId } from './snapshot-archive.js';
import { FORMAT_VERSION, type SnapshotChunk, type SnapshotManifest, toProfileBytes } from './snapshot-format.js';
import type { SnapshotLimits } from './snapshot-limits.js';

/*
 * Writes a snapshot of a partition in operation.
 * Begin: between two batches, at the partition's current offset. Then every profile is read, each chunk with the offset
 * at which it was read (`asOf`): a full snapshot scans, an increment reads what has changed since the previous one
 * began. End: again between two batches, when nothing is unpublished, so that a restore may process everything below
 * the end again without its outputs. The manifest is written last.
 *
 * A scan may miss a profile that does not exist during the whole scan. One that was created after the beginning is made
 * by the catch-up. One that was removed, and perhaps created again, is read by its key after the scan: it may have had
 * a state at the beginning.
 */

/** What a snapshot needs of the partition's owner. */
export type SnapshotSource = Pick<Ownership<never>, 'owner' | 'mutex' | 'publisher' | 'changes'> & {
  readonly meta: PartitionMeta;
};

export interface SnapshotWriterOptions {
  readonly source: SnapshotSource;
  readonly store: PartitionStore;
  readonly archive: SnapshotArchive;
  readonly limits: SnapshotLimits;
  readonly clock: Clock;
  /** Aborted when the partition is given up. */
  readonly signal: AbortSignal;
}

/** The previous snapshot, and the number of increments since its full one. */
export interface SnapshotBase {
  readonly manifest: SnapshotManifest;
  readonly increments: number;
}

/**
 * Writes a snapshot, as an increment to `base` where possible. Throws when the partition was lost meanwhile (`fenced`),
 * never had nothing unpublished (`timeout`), or the blob store is unavailable; the objects written until then are not a
 * snapshot.
 */
export async function writeSnapshot(
  options: SnapshotWriterOptions,
  base: SnapshotBase | undefined,
): Promise<SnapshotManifest> {
  const writer = new SnapshotWriter(options);
  try {
    return await writer.write(base);
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

class SnapshotWriter {
  readonly #options: SnapshotWriterOptions;
  readonly #chunks: SnapshotChunk[] = [];
  #id = '';
  #asOf = 0;
  #profilesPerRead: number;

  constructor(options: SnapshotWriterOptions) {
    this.#options = options;
    this.#profilesPerRead = Math.min(FIRST_READ_PROFILES, options.limits.chunkProfilesMax);
  }

  async write(base: SnapshotBase | undefined): Promise<SnapshotManifest> {
    const { archive, clock, limits, source } = this.#options;
    const { meta: begin, changed } = await this.#begin();
    const createdAtMs = clock.now();
    this.#id = toSnapshotId({ beginNext: begin.next, createdAtMs, owner: source.owner });
    this.#asOf = begin.next;
    const isIncrement = base !== undefined && changed !== undefined && base.increments < limits.incrementsMax;
    if (isIncrement) await this.#readKeys(changed);
    else await this.#readAll();
    const end = await this.#end();
    const manifest: SnapshotManifest = {
      ...archive.subject,
      version: FORMAT_VERSION,
      id: this.#id,
      parent: isIncrement ? base.manifest.id : null,
      begin,
      end,
      chunks: this.#chunks,
      createdAtMs,
    };
    this.#options.signal.throwIfAborted();
    await archive.writeManifest(manifest);
    return manifest;
  }

  /** Objects left by a crash, or by a partition released in haste, are removed by age. */
  async discard(): Promise<void> {
    const { archive, signal } = this.#options;
    if (this.#chunks.length === 0 || signal.aborted) return;
    // The reported failure is the original one.
    await archive.remove(this.#id).catch(() => undefined);
  }

  /** Between two batches no commit is in flight, so the keys noted from now on are exactly the changes above `meta`. */
  #begin(): Promise<{ meta: PartitionMeta; changed: readonly string[] | undefined }> {
    const { source } = this.#options;
    return this.#atFixedPoint('begin', async () => ({ meta: source.meta, changed: source.changes.restart() }));
  }

  async #readAll(): Promise<void> {
    const { source, store } = this.#options;
    let cursor: string | undefined = SCAN_START;
    while (cursor !== undefined) {
      const from: { cursor: string; count: number } = { cursor, count: this.#profilesPerRead };
      const page = await this.#chunk(() => store.scan(this.#guard(), from));
      cursor = page.cursor;
    }
    const { removed } = source.changes;
    if (removed === undefined)
      throw new AppError('limit_exceeded', 'too many profiles were removed while it was written');
    await this.#readKeys(removed);
  }

  async #readKeys(keys: readonly string[]): Promise<void> {
    const { store } = this.#options;
    for (let from = 0; from < keys.length; ) {
      const some = keys.slice(from, from + this.#profilesPerRead);
      await this.#chunk(() => store.peek(this.#guard(), some));
      from += some.length;
    }
  }

  #guard() {
    return { owner: this.#options.source.owner, nextMin: this.#asOf };
  }

  /** Reads some profiles and writes them as a chunk; then pauses, so that the snapshot keeps to its share of time. */
  async #chunk<R extends ProfileReading>(read: () => Promise<R>): Promise<R> {
    const { archive, clock, limits, signal } = this.#options;
    signal.throwIfAborted();
    const startedMs = clock.steadyMs();
    const reading = await read();
    const { next: asOf, profiles } = reading;
    this.#asOf = asOf;
    if (profiles.length > 0) {
      const number = this.#chunks.length + 1;
      this.#chunks.push(await archive.writeChunk(this.#id, { number, asOf, profiles }));
      this.#adapt(profiles.reduce((sum, profile) => sum + toProfileBytes(profile), 0) / profiles.length);
    }
    await clock.wait((clock.steadyMs() - startedMs) * (1 / limits.timeShareMax - 1), signal);
    return reading;
  }

  #adapt(bytesPerProfile: number): void {
    const { chunkBytes, chunkProfilesMax } = this.#options.limits;
    this.#profilesPerRead = Math.max(1, Math.min(chunkProfilesMax, Math.floor(chunkBytes / bytesPerProfile)));
  }

  /**
   * The offset at which nothing is unpublished: a record below it may be processed again without its outputs.
   * Acknowledged outboxes are dropped by a commit that changes nothing else; the store itself is then asked whether any
   * is left.
   */
  #end(): Promise<number> {
    const { source, store, clock, limits, signal } = this.#options;
    return this.#atFixedPoint('end', async () => {
      await endsWithin({ ms: limits.fixedPointWaitMs, clock, signal }, source.publisher.waitForDepth(0));
      if (source.publisher.depth > 0) return undefined;
      const acknowledged = source.publisher.peekAcknowledged();
      await store.commit(toFence(source), {
        meta: source.meta,
        states: [],
        timers: [],
        outbox: undefined,
        acknowledged,
      });
      source.publisher.forget(acknowledged);
      const { next, ordinal, outboxes } = await store.peek(this.#guard(), []);
      // A failover may lose just the preceding commit: the next owner then drops those outboxes again.
      if (next !== source.meta.next || ordinal !== 0 || outboxes > 0)
        throw new AppError('fenced', 'the store lost commits: what was acknowledged and dropped is there again');
      return next;
    });
  }

  /** Runs `work` between two records (a tick may take several commits); a bounded number of attempts. */
  async #atFixedPoint<T>(what: string, work: () => Promise<T | undefined>): Promise<T> {
    const { source, clock, limits, signal } = this.#options;
    for (let attempt = 0; attempt < limits.fixedPointAttemptsMax; attempt++) {
      signal.throwIfAborted();
      const result = await source.mutex.run(async () => (source.meta.ordinal === 0 ? work() : undefined));
      if (result !== undefined) return result;
      await clock.wait(limits.retryInitialMs, signal);
    }
    throw new AppError('timeout', `the partition did not come to rest for the ${what} of a snapshot`);
  }
}

/** Used before the size of profiles is known. */
const FIRST_READ_PROFILES = 100;
