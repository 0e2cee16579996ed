import { toTopic } from '@perennial/contracts';
import type { LogRecord, OutgoingRecord } from '@perennial/kafka';
import { AppError, assert, BoundedQueue, createRandomToken, Mutex, systemClock } from '@perennial/kernel';
import type { Redis } from '@perennial/redis';
import type { Logger, Metrics } from '@perennial/telemetry';
import { processBatch } from '../batch/batch.js';
import { commitBatch } from '../batch/commit-batch.js';
import { decodeBatch } from '../batch/decode-batch.js';
import { loadBatch } from '../batch/load-batch.js';
import { loadRollouts } from '../batch/load-rollouts.js';
import { locateRecord } from '../batch/located-record.js';
import { TRUSTED_ENDS } from '../batch/source-ends.js';
import type { ProcessorDefinition } from '../definition.js';
import { DEFAULT_LIMITS } from '../limits.js';
import { type Ownership, toFence } from '../partition/ownership.js';
import { OutboxPublisher } from '../partition/publisher.js';
import { StateCache } from '../partition/state-cache.js';
import { ChangedKeys } from '../snapshot/changed-keys.js';
import { toCommit } from '../snapshot/snapshot-restore.js';
import { createRedisPartitionStore } from '../store/redis-store.js';
import { EMPTY_META, type PartitionMeta, type PartitionStore } from '../store/store.js';
import { createProcessorTelemetry } from '../telemetry.js';

/**
 * Value of `restoring` while a partition is being rebuilt: no service treats it as complete, and no reader serves it.
 */
const REBUILD_MARK = 'rebuild';

/** Records that one commit covers. */
const BATCH_RECORDS_MAX = 500;

export interface RebuildOptions<State, Input, Evidence> {
  readonly definition: ProcessorDefinition<State, Input, Evidence>;
  readonly namespace: string;
  readonly partitions: number;
  readonly redis: Redis;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Replaceable for tests. */
  readonly openStore?: (partition: number) => PartitionStore;
}

/**
 * `absent`: the store has no data of the partition; `begun`: a rebuild did not finish; `whole`: the states are
 * complete.
 */
type PartitionCondition = 'absent' | 'begun' | 'whole';

/** A rebuild of one processor, for any of its partitions. */
export interface RebuildStage {
  readonly processor: string;
  readonly inputTopic: string;
  look(partition: number): Promise<PartitionCondition>;
  /** Wipes the partition, marks it, and owns it exclusively from then on. */
  begin(partition: number): Promise<PartitionRebuild>;
}

/** A partition that is being rebuilt from its records. */
export interface PartitionRebuild {
  /**
   * Processes the next records, in order, with the processor's own code. Returns their outputs for the next processor;
   * none is published, because they were published before. Throws AppError `fenced` when another owner has acquired the
   * partition.
   */
  process(records: readonly LogRecord[]): Promise<readonly OutgoingRecord[]>;
  /** Marks the states as complete; the processor continues with the record at `next`. */
  finish(next: number): Promise<void>;
}

export function createRebuildStage<State, Input, Evidence>(
  options: RebuildOptions<State, Input, Evidence>,
): RebuildStage {
  const { definition, namespace, redis } = options;
  const openStore =
    options.openStore ??
    ((partition: number) => createRedisPartitionStore(redis, { namespace, processor: definition.name, partition }));
  return {
    processor: definition.name,
    inputTopic: definition.inputTopic,
    async look(partition) {
      const { meta } = await openStore(partition).acquire(createRandomToken());
      if (meta === undefined) return 'absent';
      return meta.restoring === undefined ? 'whole' : 'begun';
    },
    async begin(partition) {
      const store = openStore(partition);
      const owner = createRandomToken();
      const { meta: found } = await store.acquire(owner);
      if (found !== undefined && found.restoring === undefined) {
        // Marked first, because a wipe of a partition in operation is rejected.
        await store.commit(toFence({ owner, meta: found }), toCommit({ ...found, restoring: REBUILD_MARK }, []));
      }
      await store.wipe(owner);
      const meta: PartitionMeta = { ...EMPTY_META, restoring: REBUILD_MARK };
      await store.commit({ owner, next: 0, commits: 0 }, toCommit(meta, []));
      return new Rebuild(options, { partition, store, owner, meta });
    },
  };
}

class Rebuild<State, Input, Evidence> implements PartitionRebuild {
  readonly #options: RebuildOptions<State, Input, Evidence>;
  readonly #partition: number;
  readonly #store: PartitionStore;
  readonly #own: Ownership<State>;

  constructor(
    options: RebuildOptions<State, Input, Evidence>,
    at: { partition: number; store: PartitionStore; owner: string; meta: PartitionMeta },
  ) {
    this.#options = options;
    this.#partition = at.partition;
    this.#store = at.store;
    this.#own = createOwnership(options, at);
  }

  async process(records: readonly LogRecord[]): Promise<readonly OutgoingRecord[]> {
    const outputs: OutgoingRecord[] = [];
    for (let from = 0; from < records.length; from += BATCH_RECORDS_MAX) {
      let batch = records.slice(from, from + BATCH_RECORDS_MAX);
      // A tick may take several commits.
      while (batch.length > 0) {
        for (const output of await this.#commitOnce(batch)) outputs.push(output);
        batch = batch.filter(({ offset }) => offset >= this.#own.meta.next);
      }
    }
    return outputs;
  }

  async finish(next: number): Promise<void> {
    const own = this.#own;
    assert(own.meta.ordinal === 0 && next >= own.meta.next, 'it goes on above what was processed');
    const meta: PartitionMeta = { ...own.meta, next, restoring: undefined };
    await this.#store.commit(toFence(own), toCommit(meta, []));
    own.meta = meta;
  }

  async #commitOnce(records: readonly LogRecord[]): Promise<readonly OutgoingRecord[]> {
    const { definition, namespace, partitions } = this.#options;
    const own = this.#own;
    const store = this.#store;
    const entries = await loadRollouts(
      decodeBatch(
        definition,
        records.map((record) => locateRecord(definition, record)),
        own.meta,
        TRUSTED_ENDS,
      ),
      own.meta.inForce,
      async (rollout, inForce) => definition.loadRollout?.(rollout, inForce),
    );
    const { codec } = definition;
    const { states, timers, timersFromMs } = await loadBatch(own, entries, { store, codec, limits: DEFAULT_LIMITS });
    const result = await processBatch(definition, {
      partition: this.#partition,
      partitions,
      deadLetterTopic: toTopic(namespace, 'deadLettered'),
      meta: own.meta,
      entries,
      states,
      timers,
      limits: DEFAULT_LIMITS,
    });
    await commitBatch(own, { ...result, outputs: [] }, { store, codec });
    const cut = result.meta.next <= (records.at(-1)?.offset ?? -1);
    const dueTimes = [...result.timers.values()].filter((dueAtMs) => dueAtMs !== null);
    own.timersFromMs = cut ? Number.NEGATIVE_INFINITY : dueTimes.reduce((a, b) => Math.min(a, b), timersFromMs);
    return result.outputs;
  }
}

function createOwnership<State, Input, Evidence>(
  { logger, metrics }: RebuildOptions<State, Input, Evidence>,
  { partition, owner, meta }: { partition: number; owner: string; meta: PartitionMeta },
): Ownership<State> {
  const telemetry = createProcessorTelemetry(logger, metrics);
  const unused = {
    send: async () => {
      throw new AppError('contract_violation', 'a rebuild publishes nothing');
    },
    close: async () => undefined,
  };
  const limits = DEFAULT_LIMITS;
  return {
    owner,
    publisher: new OutboxPublisher(unused, {
      ...limits,
      clock: systemClock,
      random: Math.random,
      telemetry,
      partition,
      onFailed: () => undefined,
    }),
    queue: new BoundedQueue({ itemsMax: limits.queueItemsMax, bytesMax: limits.queueBytesMax }),
    cache: new StateCache(limits),
    mutex: new Mutex(),
    changes: new ChangedKeys(0),
    catchUp: undefined,
    meta,
    timersFromMs: Number.NEGATIVE_INFINITY,
    expected: 0,
    asked: true,
    strayAt: undefined,
    broken: false,
    endedBy: undefined,
  };
}
