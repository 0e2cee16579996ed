import { toConsumerGroup, toTopic } from '@perennial/contracts';
import { type Log, readUnread, sumLag } from '@perennial/kafka';
import { type Clock, every } from '@perennial/kernel';
import type { IngestEvents } from '../telemetry.js';
import type { KafkaInput, KafkaSource } from './kafka-source.js';

const LAG_INTERVAL_MS = 5_000;

/** Measures every five seconds what the group has not committed, and what open transactions hold back from it. */
export function startLagMonitor(options: {
  readonly log: Log;
  readonly namespace: string;
  readonly input: KafkaInput;
  readonly clock: Clock;
  readonly events: IngestEvents;
  /** Called for each partition of the topic, also those of other instances. */
  readonly observe: KafkaSource['observe'];
  /** Likewise: records behind open transactions, by partition. */
  readonly heldBack: KafkaSource['heldBack'];
}): { stop(): Promise<void> } {
  const { log, namespace, input, clock, events, observe, heldBack } = options;
  const topic = toTopic(namespace, input.topic);
  const groupId = toConsumerGroup(namespace, input.group);
  return every({ intervalMs: LAG_INTERVAL_MS, clock, immediately: true, onError: events.lagUnknown }, async () => {
    const unread = await readUnread(log, { groupId, topic });
    for (const [partition, { from, to }] of unread) observe(partition, { next: from, end: to });
    events.lagMeasured(input.topic, sumLag(unread));
    const held = await log.heldBack(topic);
    heldBack(held);
    events.heldBackMeasured(input.topic, held);
  });
}
