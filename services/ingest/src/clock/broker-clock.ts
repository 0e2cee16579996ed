import type { Log, LogConsumer, LogProducer } from '@perennial/kafka';
import { type Clock, createRandomToken, must, withLimit } from '@perennial/kernel';
import { toTickRecord } from '../records.js';

const PROBE_LIMITS = {
  timeoutMs: 15_000,
  sessionTimeoutMs: 10_000,
  fetchBytesPerPartitionMax: 256 * 1024,
  fetchWaitMaxMs: 100,
} as const;

const PROBE_HEADER = 'pn-clock-probe';

export interface BrokerClockOptions {
  readonly log: Log;
  readonly producer: LogProducer;
  readonly topic: string;
  readonly groupId: string;
  readonly clock: Clock;
}

/**
 * Measures the broker's clock minus this machine's: writes a tick of time 0, which moves no log time, reads it back and
 * compares the append time with the send time. That needs `message.timestamp.type=LogAppendTime` on the topic: with
 * CreateTime the broker keeps the producer's own time, and the result is always about 0.
 */
export async function measureBrokerClock(options: BrokerClockOptions, partition: number): Promise<number> {
  const { log, producer, topic, groupId, clock } = options;
  const token = createRandomToken();
  const begin = must((await log.offsets(topic)).get(partition), `partition ${partition} of ${topic}`).high;
  const sentAtMs = clock.now();
  await producer.send([{ ...toTickRecord(0, { topic, partition }), headers: { [PROBE_HEADER]: token } }]);
  const ackedAtMs = clock.now();

  let resolveFound: (appendedAtMs: number) => void = () => undefined;
  const found = new Promise<number>((resolve) => {
    resolveFound = resolve;
  });
  const { timeoutMs, sessionTimeoutMs, fetchBytesPerPartitionMax, fetchWaitMaxMs } = PROBE_LIMITS;
  let consumer: LogConsumer | undefined;
  consumer = await log.startConsumer(
    { groupId, topic, fromBeginning: false, sessionTimeoutMs, fetchBytesPerPartitionMax, fetchWaitMaxMs },
    {
      onAssigned: () => consumer?.seek(partition, begin),
      onRevoked: () => undefined,
      async onRecords(_partition, records) {
        const probe = records.find(({ headers }) => headers[PROBE_HEADER] === token);
        if (probe !== undefined) resolveFound(probe.timestampMs);
      },
    },
  );
  consumer.seek(partition, begin);
  const message = `the clock probe did not come back within ${timeoutMs} ms`;
  try {
    const appendedAtMs = await withLimit({ ms: timeoutMs, message, clock }, () => found);
    return toSkewMs({ appendedAtMs, sentAtMs, ackedAtMs });
  } finally {
    await consumer.stop();
  }
}

/** 0 when the append lies between sending and acknowledgement, else its distance from that range. */
export function toSkewMs(times: { appendedAtMs: number; sentAtMs: number; ackedAtMs: number }): number {
  const { appendedAtMs, sentAtMs, ackedAtMs } = times;
  return appendedAtMs - Math.min(Math.max(appendedAtMs, sentAtMs), ackedAtMs);
}
