import type { Log, LogProducer, OutgoingRecord } from '@perennial/kafka';
import { AppError, Mutex } from '@perennial/kernel';
import { type ConsumerParts, SimulatedConsumer } from './consumer.js';

export interface SimulatedLogOptions extends ConsumerParts {
  readonly onConsumer: (consumer: SimulatedConsumer) => void;
}

/** One process's client of the log. */
export function createSimulatedLog(options: SimulatedLogOptions): Log {
  const { process, network, broker, group } = options;
  return {
    createProducer: async () => createProducer(options),
    async startConsumer(consumerOptions, handlers) {
      const consumer = new SimulatedConsumer(options, consumerOptions, handlers);
      options.onConsumer(consumer);
      consumer.start();
      return consumer;
    },
    offsets: (topic) =>
      network.call(process, { service: 'broker', what: `offsets ${topic}`, execute: () => broker.offsets(topic) }),
    heldBack: async () => new Map(),
    groupOffsets: (_groupId, topic) =>
      network.call(process, {
        service: 'broker',
        what: `group offsets ${topic}`,
        execute: () => new Map(group.committed),
      }),
    close: async () => {},
  };
}

/**
 * One request in flight, so that sends keep their order; of a send that is cut, any prefix of each partition is
 * written.
 */
function createProducer({ process, network, broker }: SimulatedLogOptions): LogProducer {
  const mutex = new Mutex();
  let closed = false;
  return {
    send(records) {
      if (closed) return Promise.reject(new AppError('dependency_unavailable', 'the producer is closed'));
      const execute = ({ cut }: { cut: boolean }) => {
        const written = cut ? cutShort(records, (count) => process.draw.whole({ from: 0, to: count })) : records;
        for (const record of written) broker.append(record);
      };
      const what = `send ${records.length}`;
      return mutex.run(() => network.call(process, { service: 'producer', what, execute }));
    },
    async close() {
      closed = true;
      await mutex.idle();
    },
  };
}

function cutShort(records: readonly OutgoingRecord[], drawCount: (count: number) => number): OutgoingRecord[] {
  const byPlace = new Map<string, OutgoingRecord[]>();
  for (const record of records) {
    const place = `${record.topic}/${record.partition}`;
    byPlace.set(place, [...(byPlace.get(place) ?? []), record]);
  }
  return [...byPlace.values()].flatMap((ofPlace) => ofPlace.slice(0, drawCount(ofPlace.length)));
}
