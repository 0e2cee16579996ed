/** Why a record, or a whole batch of records, cannot be read. */
export type UnreadableReason = 'too_many_headers' | 'headers_too_large' | 'batch_too_large' | 'damaged';

/** What is wrong with a record that cannot be read. It stands for the offsets from `firstOffset` to the record's own. */
export interface Unreadable {
  readonly reason: UnreadableReason;
  /** What was wrong, with the values. */
  readonly message: string;
  readonly firstOffset: number;
}

/** One record as read from the log. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Append time of the broker, milliseconds since the epoch. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Present where the record, or the batch that it stands for, cannot be read: it has no headers then, and key and value
   * only where they could be read. A reader must report it and go on.
   */
  readonly unreadable?: Unreadable;
}

/** One record to be written to a given partition. */
export interface OutgoingRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Writes in order: acks=all, idempotent, one request in flight. */
export interface LogProducer {
  /**
   * Resolves when every record is acknowledged by all in-sync replicas. Concurrent calls keep their order per
   * partition. Throws AppError `dependency_unavailable` (retriable) when the broker is unavailable, `limit_exceeded`
   * when a record is too large for the broker. After an error any subset of the records may have been written.
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface LogConsumerHandlers {
  /** This member now owns these partitions; no record of a partition is delivered before this resolves for it. */
  onAssigned(partitions: readonly number[]): void;
  /**
   * This member no longer owns these partitions (rebalance, lost session, stop): none of their records is delivered
   * after this.
   */
  onRevoked(partitions: readonly number[]): void | Promise<void>;
  /**
   * Records of one partition, ascending, one call at a time per partition. The next fetch of this partition waits until
   * this resolves, which gives backpressure. `seek` during or after it moves the next delivery.
   */
  onRecords(partition: number, records: readonly LogRecord[]): Promise<void>;
  /**
   * No record lies between the last delivered one and `next`: control records and aborted transactions have offsets, but
   * are not delivered. Without this a reader that waits for the end of the log would wait for ever.
   */
  onPassed?(partition: number, next: number): void;
  /** Visible trouble (broker unavailable, session lost); the consumer recovers by itself. */
  onError?(error: Error): void;
}

export interface LogConsumer {
  /** The next delivery of an owned partition starts at `offset`. */
  seek(partition: number, offset: number): void;
  /**
   * Group offsets, as a hint and for lag metrics: `next` is the offset of the first record not yet processed. Never
   * throws for a partition that is no longer owned.
   */
  commit(offsets: ReadonlyMap<number, number>): Promise<void>;
  /**
   * Where the record that follows `next - 1` can be at the earliest, as far as it is known: `next`, or the offset behind
   * control records and aborted transactions. For lags: so they end at 0.
   */
  beyond(partition: number, next: number): number;
  /** Leaves the group; resolves when no handler runs any more. */
  stop(): Promise<void>;
}

export interface ConsumerOptions {
  readonly groupId: string;
  readonly topic: string;
  readonly sessionTimeoutMs: number;
  /** Upper bound of the bytes of one partition in one fetch. */
  readonly fetchBytesPerPartitionMax: number;
  /** Minimum bytes of a fetch, all partitions together; default 1. */
  readonly fetchBytesMin?: number;
  /** How long the broker may hold a fetch that has fewer bytes. */
  readonly fetchWaitMaxMs: number;
  /** Where a group without committed offsets begins. */
  readonly fromBeginning: boolean;
}

export interface PartitionOffsets {
  /** First offset still in the log. */
  readonly low: number;
  /**
   * Offset that the next record will get. With an open transaction: the offset of its first record, since no reader gets
   * anything from there on until it ends.
   */
  readonly high: number;
}

/** The log behind a port of a few methods. Implementations: kafkajs, and an in-memory one for unit tests. */
export interface Log {
  createProducer(options?: { clientId?: string }): Promise<LogProducer>;
  /** Joins the group and starts delivery. */
  startConsumer(options: ConsumerOptions, handlers: LogConsumerHandlers): Promise<LogConsumer>;
  /** Offsets of every partition, by number; throws `not_found` when there is no such topic. */
  offsets(topic: string): Promise<ReadonlyMap<number, PartitionOffsets>>;
  /**
   * Number of offsets that wait for the end of an open transaction, by partition; a partition without one is absent.
   * Throws `not_found` when there is no such topic.
   */
  heldBack(topic: string): Promise<ReadonlyMap<number, number>>;
  /** Committed group offsets, by partition; a partition without one is absent. */
  groupOffsets(groupId: string, topic: string): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}
