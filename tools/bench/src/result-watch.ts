import type { Log, LogConsumer, LogRecord } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';

/** When each record of a topic was appended and seen, by key, in order. */
export interface Watched {
  readonly appendedAtMs: number;
  readonly seenAtMs: number;
}

/** Larger than the records of a few hundred milliseconds. */
const BULK_BYTES = 4 * 1024 * 1024;

/**
 * Follows a topic from its present end. Each event gives one record per key, in order, on every topic of the pipeline,
 * so the nth record of a key belongs to the nth event of its user: records need no id for the match.
 */
export class ResultWatch {
  readonly byKey = new Map<string, Watched[]>();
  count = 0;
  readonly #consumer: LogConsumer;

  private constructor(consumer: LogConsumer) {
    this.#consumer = consumer;
  }

  /**
   * Resolves when it has joined and no earlier record will be counted. `at once` sees each record as it comes. `in
   * bulk` costs next to nothing in broker and machine, which are being measured; its `seenAtMs` is then imprecise.
   */
  static async start(
    log: Log,
    {
      topic,
      pace,
      isCounted,
    }: { topic: string; pace: 'at once' | 'in bulk'; isCounted: (record: LogRecord) => boolean },
  ): Promise<ResultWatch> {
    const ends = await log.offsets(topic);
    const created: { watch?: ResultWatch } = {};
    let joined = () => {};
    const assigned = new Promise<void>((resolve) => {
      joined = resolve;
    });
    const consumer = await log.startConsumer(
      {
        groupId: `bench-${createRandomToken()}`,
        topic,
        sessionTimeoutMs: 10_000,
        fetchBytesPerPartitionMax: 1024 * 1024,
        fetchBytesMin: pace === 'at once' ? 1 : BULK_BYTES,
        fetchWaitMaxMs: pace === 'at once' ? 100 : 500,
        fromBeginning: false,
      },
      {
        onAssigned(partitions) {
          setImmediate(() => {
            for (const partition of partitions) consumer.seek(partition, ends.get(partition)?.high ?? 0);
            joined();
          });
        },
        onRevoked() {},
        async onRecords(partition, records) {
          const end = ends.get(partition)?.high ?? 0;
          created.watch?.take(records.filter((record) => record.offset >= end && isCounted(record)));
        },
      },
    );
    created.watch = new ResultWatch(consumer);
    await assigned;
    return created.watch;
  }

  take(records: readonly LogRecord[]): void {
    const seenAtMs = Date.now();
    for (const { key, timestampMs } of records) {
      const name = String(key);
      const list = this.byKey.get(name) ?? [];
      list.push({ appendedAtMs: timestampMs, seenAtMs });
      this.byKey.set(name, list);
    }
    this.count += records.length;
  }

  async stop(): Promise<void> {
    await this.#consumer.stop();
  }
}
