import type { Outgoing } from './lanes.js';

/** Result of one delivery: how many events the front door reported as bad (unknown to a producer on Kafka: 0). */
export interface Delivery {
  readonly rejected: number;
}

/** How events enter the platform; both implementations end in the same topics. */
export interface EventSink {
  /** Resolves when every event is acknowledged. The batches of one lane are sent one after another. */
  deliver(batch: readonly Outgoing[]): Promise<Delivery>;
  /** Positions that must precede the next tick: per partition of `event.received`, the offset of the next record. */
  reached(): Promise<Readonly<Record<string, number>> | undefined>;
  close(): Promise<void>;
}
