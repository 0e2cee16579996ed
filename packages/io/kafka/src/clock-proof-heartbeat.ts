import { replaceKafkajsMethod } from './kafkajs-internals.js';

const CONSUMER_GROUP_MODULE = 'kafkajs/src/consumer/consumerGroup.js';

/** The used part of kafkajs's group member. */
export interface ConsumerGroup {
  /** When it last sent a heartbeat, by the wall clock. */
  lastRequest: number;
  heartbeat(options: { interval: number }): Promise<void>;
}

/**
 * kafkajs sends a heartbeat when the wall clock says that one is due. When the clock is set back, a member sends none
 * for that long. Its commits keep its session alive, so it works on but never learns of a rebalance; the group waits
 * for it until the rebalance timeout and then assigns its partitions to other members too. With this patch a heartbeat
 * is due at once when the clock has gone backwards.
 */
export function installClockProofHeartbeat(): void {
  replaceKafkajsMethod<ConsumerGroup, 'heartbeat'>(
    CONSUMER_GROUP_MODULE,
    'heartbeat',
    (beat) =>
      function (this: ConsumerGroup, options) {
        if (Date.now() < this.lastRequest) this.lastRequest = 0;
        return beat.call(this, options);
      },
  );
}
