import type { Outgoing } from './lanes.js';

/** What one delivery came to: how many the front door named as bad (unknown to a producer on Kafka: 0). */
export interface Delivery {
  readonly rejected: number;
}

/** The way events take into the platform; both ways end in the same topics. */
export interface EventSink {
  /** Resolves when every event is acknowledged. Batches of one lane come one after another. */
  deliver(batch: readonly Outgoing[]): Promise<Delivery>;
  /** Positions that the next tick must come after: per partition of `event.received`, the offset of the next record. */
  reached(): Promise<Readonly<Record<string, number>> | undefined>;
  close(): Promise<void>;
}
