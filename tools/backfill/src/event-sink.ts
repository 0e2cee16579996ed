import type { Outgoing } from './lanes.js';

/** An event that ingest does not accept. */
export interface RejectedEvent {
  /** Undefined where the answer names none of the batch. */
  readonly event: Outgoing | undefined;
  readonly reason: string;
  readonly message: string;
}

/** Result of one delivery: the events that the front door reported as bad (unknown to a producer on Kafka: none). */
export interface Delivery {
  readonly rejected: readonly RejectedEvent[];
}

/** How events enter the platform; both implementations end in the same topics. */
export interface EventSink {
  /** Resolves when every event is acknowledged. The batches of one lane are sent one after another. */
  deliver(batch: readonly Outgoing[]): Promise<Delivery>;
  /** Positions that must precede the next tick: per partition of `event.received`, the offset of the next record. */
  reached(): Promise<Readonly<Record<string, number>> | undefined>;
  close(): Promise<void>;
}
