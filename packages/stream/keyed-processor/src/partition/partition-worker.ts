import type { Rollout } from '@perennial/contracts';
import type { ConsumerHealth, LogProducer, LogRecord } from '@perennial/kafka';
import { AppError, BoundedQueue, type Clock, endsWithin, isAppError, Mutex, retry } from '@perennial/kernel';
import { processBatch } from '../batch/batch.js';
import { commitBatch } from '../batch/commit-batch.js';
import { decodeBatch } from '../batch/decode-batch.js';
import { loadBatch } from '../batch/load-batch.js';
import { loadInForce, loadRollouts } from '../batch/load-rollouts.js';
import { locateRecord } from '../batch/located-record.js';
import { decodeOutbox } from '../batch/outbox.js';
import type { SourceEnds } from '../batch/source-ends.js';
import type { ProcessorDefinition, Rejection } from '../definition.js';
import type { ProcessorLimits } from '../limits.js';
import { ChangedKeys } from '../snapshot/changed-keys.js';
import type { PartitionSnapshots } from '../snapshot/partition-snapshots.js';
import type { RestoredStart } from '../snapshot/snapshot-restore.js';
import { EMPTY_META, type PartitionMeta, type PartitionStore } from '../store/store.js';
import type { ProcessorTelemetry } from '../telemetry.js';
import type { Ownership } from './ownership.js';
import { OutboxPublisher } from './publisher.js';
import { type RepeatingSource, RepeatWatch } from './repeat-watch.js';
import { StateCache } from './state-cache.js';

export interface WorkerOptions<State, Input, Evidence> {
  readonly definition: ProcessorDefinition<State, Input, Evidence>;
  readonly partition: number;
  readonly partitions: number;
  readonly deadLetterTopic: string;
  readonly store: PartitionStore;
  readonly producer: LogProducer;
  readonly limits: ProcessorLimits;
  readonly clock: Clock;
  readonly random: () => number;
  readonly telemetry: ProcessorTelemetry;
  /** Creates a fresh random token. */
  readonly createOwner: () => string;
  /**
   * The end of the log, which continues from `meta`; throws when it cannot (records lost at either end, or an emptied
   * store).
   */
  readonly checkContinuity: (partition: number, meta: PartitionMeta | undefined) => Promise<number>;
  readonly health: Pick<ConsumerHealth, 'advanced' | 'failed' | 'isReady' | 'observed'>;
  readonly sourceEnds: SourceEnds;
  readonly seek: (partition: number, offset: number) => void;
  /**
   * Undefined when snapshots are off: an emptied store is then rebuilt from the log, if the log still reaches back far
   * enough.
   */
  readonly snapshots?: PartitionSnapshots | undefined;
}

/**
 * Processes one partition: acquires it, publishes leftover outboxes, then load, step, commit, publish, batch by batch.
 */
export class PartitionWorker<State, Input, Evidence> {
  readonly #options: WorkerOptions<State, Input, Evidence>;
  readonly #stop = new AbortController();
  #ownership: Ownership<State> | undefined;
  #running: Promise<void> | undefined;
  #restoring = false;
  readonly #repeats: RepeatWatch;

  constructor(options: WorkerOptions<State, Input, Evidence>) {
    this.#options = options;
    this.#repeats = new RepeatWatch(options.limits, options.clock);
  }

  /** False while the partition is being acquired or restored, and from a failure to the next committed batch. */
  get ready(): boolean {
    const own = this.#ownership;
    const { health, partition } = this.#options;
    return own?.asked === true && !own.broken && !this.restoring && health.isReady(partition);
  }

  /** Sources of which every record is dropped. */
  get repeating(): readonly RepeatingSource[] {
    return this.restoring ? [] : this.#repeats.find();
  }

  get restoring(): boolean {
    return this.#restoring;
  }

  /** Offset of the next record to be processed; undefined before the partition is owned. */
  get next(): number | undefined {
    return this.#ownership?.meta.next;
  }

  /** All outputs of records below this offset are in the log; undefined while that is not known. */
  get published(): number | undefined {
    const own = this.#ownership;
    return own?.publisher.depth === 0 ? own.meta.next : own?.publisher.published;
  }

  get queued(): number {
    return this.#ownership?.queue.length ?? 0;
  }

  get outboxDepth(): number {
    return this.#ownership?.publisher.depth ?? 0;
  }

  /** Reports the age of the newest snapshot. */
  observeSnapshots(): void {
    this.#options.snapshots?.observe();
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Queues fetched records, and waits while too many are queued. Records that this owner does not need are dropped. */
  async deliver(records: readonly LogRecord[]): Promise<void> {
    const own = this.#ownership;
    const first = records.find(({ offset }) => offset >= (own?.expected ?? 0)) ?? records[0];
    if (own === undefined || first === undefined || !own.asked) return;
    const wanted = first.offset === own.expected && !own.broken;
    if (!wanted && !(await this.#isContinuous(own, first.offset))) return;
    for (const record of records) {
      if (record.offset < own.expected) continue;
      if (!own.queue.tryPush(record, toQueuedBytes(record))) return;
      own.expected = record.offset + 1;
    }
    await own.queue.waitForRoom();
  }

  /** Checks that the log still reaches this worker's offset: a log that was lost completely delivers nothing. */
  async verify(): Promise<void> {
    const own = this.#ownership;
    if (own?.asked && !own.broken) await this.#isWhole(own);
  }

  /** Finishes the current batch and its outbox, within the drain limit, then releases the partition. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#ownership?.queue.close();
    const { clock, limits, snapshots } = this.#options;
    const writing = snapshots?.stopWriting();
    if (this.#running !== undefined) await endsWithin({ ms: limits.drainMs, clock }, this.#running);
    await writing;
    await this.#ownership?.publisher.stop();
    this.#ownership = undefined;
  }

  /**
   * Handles a delivery at an unexpected offset. The first time it counts as a fetch from before a seek, so the worker
   * seeks again. If it repeats, either the log has no records at those offsets, or the log lost its tail and the client
   * restarted at the earliest record. Lost records are not a gap: they stop the partition, even when the log grows
   * again.
   */
  async #isContinuous(own: Ownership<State>, offset: number): Promise<boolean> {
    const { partition, seek, clock, limits } = this.#options;
    const again = own.strayAt === offset;
    own.strayAt = again ? undefined : offset;
    if (again && !own.broken && !(await this.#isWhole(own))) return false;
    if (own.broken) await clock.wait(limits.fencedRestMs, this.#stop.signal);
    else if (!again) seek(partition, own.expected);
    return again && !own.broken;
  }

  /** Checks that the log reaches this owner's offset; ends the ownership if it does not. */
  async #isWhole(own: Ownership<State>): Promise<boolean> {
    const { partition, checkContinuity, telemetry, health } = this.#options;
    try {
      await checkContinuity(partition, { ...own.meta, next: own.expected });
      return true;
    } catch (error) {
      telemetry.stalled(partition, error);
      own.broken = !(isAppError(error) && error.retriable);
      if (own.broken) health.failed(partition, error);
      return false;
    }
  }

  /** To own the partition again proves nothing: only a committed batch, or an empty log, shortens the rest again. */
  async #run(): Promise<void> {
    const { telemetry, partition, clock, limits, health } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await this.#own();
        await this.#work();
      } catch (error) {
        if (this.#stop.signal.aborted) return this.#letGo();
        const fenced = isAppError(error, 'fenced');
        if (fenced) telemetry.fenced(partition);
        else telemetry.stalled(partition, error);
        const restMs = Math.max(health.failed(partition, error), fenced ? limits.fencedRestMs : 0);
        await this.#letGo();
        await clock.wait(restMs, this.#stop.signal);
      }
    }
  }

  /** Acquires the partition, publishes leftover outboxes again, and seeks to the store's offset. */
  async #own(): Promise<void> {
    const { store, definition, partition, limits, telemetry, clock, random, producer, snapshots, health } =
      this.#options;
    const owner = this.#options.createOwner();
    const { meta: found, outboxes } = await store.acquire(owner);
    const { meta, catchUp, end } = await this.#toStart(owner, found);
    await loadInForce(meta.inForce, async (rollout, inForce) => definition.loadRollout?.(rollout, inForce));
    const onFailed = (error: unknown) => void health.failed(partition, error);
    const publisher = new OutboxPublisher(producer, { ...limits, clock, random, telemetry, partition, onFailed });
    const own: Ownership<State> = {
      owner,
      publisher,
      queue: new BoundedQueue({ itemsMax: limits.queueItemsMax, bytesMax: limits.queueBytesMax }),
      cache: new StateCache(limits),
      mutex: new Mutex(),
      changes: new ChangedKeys(snapshots?.changedKeysMax ?? 0),
      catchUp,
      meta,
      timersFromMs: Number.NEGATIVE_INFINITY,
      expected: meta.next,
      asked: false,
      strayAt: undefined,
      broken: false,
      endedBy: undefined,
    };
    this.#ownership = own;
    // A wiped partition has no outboxes left to publish.
    const owed = catchUp === undefined ? outboxes : [];
    for (const { sequence, bytes } of owed) {
      publisher.add({ sequence, records: decodeOutbox(bytes), next: own.meta.next });
    }
    await publisher.waitForDepth(0);
    await snapshots?.advanceCatchUp(own, own.meta.next);
    if (this.#stop.signal.aborted) return;
    telemetry.acquired(partition, { next: own.meta.next, outboxes: owed.length });
    this.#options.seek(partition, own.meta.next);
    own.asked = true;
    if (end !== undefined) health.observed(partition, { next: own.meta.next, end });
  }

  /**
   * The store's meta; for a partition that the store does not know, the meta restored from a snapshot or the whole log.
   */
  async #toStart(owner: string, found: PartitionMeta | undefined): Promise<RestoredStart & { readonly end?: number }> {
    const { store, partition, snapshots, checkContinuity } = this.#options;
    this.#restoring = false;
    if (found !== undefined && found.restoring === undefined) {
      const end = await checkContinuity(partition, found);
      return { meta: found, catchUp: undefined, end };
    }
    if (snapshots !== undefined) {
      this.#restoring = true;
      return snapshots.restore(owner, this.#stop.signal);
    }
    if (found !== undefined) {
      throw new AppError(
        'dependency_misconfigured',
        `partition ${partition} is being restored from snapshot ${found.restoring}, but snapshots are off: switch them on again`,
      );
    }
    const end = await checkContinuity(partition, undefined);
    await store.commit(
      { owner, next: 0, commits: 0 },
      { meta: EMPTY_META, states: [], timers: [], outbox: undefined, acknowledged: [] },
    );
    return { meta: EMPTY_META, catchUp: undefined, end };
  }

  async #work(): Promise<void> {
    const own = this.#ownership;
    const { limits, snapshots } = this.#options;
    const { batchItemsMax, batchBytesMax } = limits;
    if (own === undefined) return;
    this.#writeSnapshots(own);
    while (!this.#stop.signal.aborted) {
      let records = await own.queue.take({ itemsMax: batchItemsMax, bytesMax: batchBytesMax });
      if (own.endedBy !== undefined) throw own.endedBy;
      while (records.length > 0) {
        await snapshots?.advanceCatchUp(own, Math.max(own.meta.next, records[0]?.offset ?? 0));
        const batch = records.filter(({ offset }) => offset < (own.catchUp?.cutAt ?? Number.POSITIVE_INFINITY));
        await own.mutex.run(() => this.#processBatch(own, batch));
        await snapshots?.advanceCatchUp(own, own.meta.next);
        this.#writeSnapshots(own);
        records = records.filter(({ offset }) => offset >= own.meta.next);
        if (this.#stop.signal.aborted) break;
      }
    }
    await own.publisher.waitForDepth(0);
  }

  #writeSnapshots(own: Ownership<State>): void {
    if (own.catchUp !== undefined || this.#stop.signal.aborted) return;
    this.#restoring = false;
    this.#options.snapshots?.startWriting(own);
  }

  /** One commit, of as many records as fit. */
  async #processBatch(own: Ownership<State>, records: readonly LogRecord[]): Promise<void> {
    const { definition, partition, partitions, deadLetterTopic, store, limits, telemetry, clock, sourceEnds, health } =
      this.#options;
    const located = records.map((record) => locateRecord(definition, record));
    await sourceEnds.cover(located, own.meta.applied);
    const decoded = decodeBatch(definition, located, own.meta, sourceEnds);
    const entries = await loadRollouts(decoded, own.meta.inForce, (rollout, inForce) =>
      this.#loadRollout(rollout, inForce),
    );
    const { states, timers, timersFromMs } = await loadBatch(own, entries, { store, codec: definition.codec, limits });
    const result = await processBatch(definition, {
      partition,
      partitions,
      deadLetterTopic,
      meta: own.meta,
      entries,
      states,
      timers,
      limits,
    });
    await own.publisher.waitForDepth(limits.outboxesMax - 1);
    const startedMs = clock.steadyMs();
    await commitBatch(own, result, { store, codec: definition.codec });
    if (!own.publisher.failing) health.advanced(partition);
    this.#repeats.note(entries.filter(({ record }) => record.offset < own.meta.next));
    const cut = result.meta.next <= (records.at(-1)?.offset ?? -1);
    own.timersFromMs = cut ? Number.NEGATIVE_INFINITY : Math.min(timersFromMs, ...dueTimesOf(result.timers));
    // During a catch-up not all states are exact yet, so what it counts as poison may not be poison.
    if (own.catchUp === undefined) telemetry.committed(result, clock.steadyMs() - startedMs);
  }

  async #loadRollout(rollout: Rollout, inForce: ReadonlyMap<string, Rollout>): Promise<Rejection | undefined> {
    const { definition, limits, clock, random, telemetry, partition, health } = this.#options;
    const rejection = await retry(async () => definition.loadRollout?.(rollout, inForce), {
      initialMs: limits.retryInitialMs,
      maxMs: limits.retryMaxMs,
      clock,
      random,
      signal: this.#stop.signal,
      onRetry: ({ error }) => {
        health.failed(partition, error);
        telemetry.stalled(partition, error);
      },
    });
    if (rejection !== undefined) telemetry.rejected(partition, rollout, rejection);
    return rejection;
  }

  async #letGo(): Promise<void> {
    const own = this.#ownership;
    this.#ownership = undefined;
    own?.queue.close();
    await own?.publisher.stop();
    await this.#options.snapshots?.stopWriting();
  }
}

function dueTimesOf(timers: ReadonlyMap<string, number | null>): number[] {
  return [...timers.values()].filter((dueAtMs) => dueAtMs !== null);
}

function toQueuedBytes(record: LogRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + RECORD_OVERHEAD_BYTES;
}

/** Approximate memory of a record object and its headers beyond key and value. */
const RECORD_OVERHEAD_BYTES = 200;
