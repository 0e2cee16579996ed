import { replaceKafkajsMethod } from './kafkajs-internals.js';

const CONSUMER_GROUP_MODULE = 'kafkajs/src/consumer/consumerGroup.js';

/** What is used of kafkajs's member of a group. */
export interface ConsumerGroup {
  /** When it last sent a heartbeat, by the machine's clock. */
  lastRequest: number;
  heartbeat(options: { interval: number }): Promise<void>;
}

/**
 * kafkajs sends a heartbeat when the machine's clock says that it is time. A clock that is set back silences a member for as
 * long: its commits keep its session, so it works on, but it never hears of a rebalance, and the group waits for it until
 * the rebalance timeout and then gives its partitions to others as well. Here a clock that runs backwards makes a heartbeat
 * due at once.
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
