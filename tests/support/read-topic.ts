import type { Log, LogRecord } from '@perennial/kafka';
import { createRandomToken } from '@perennial/kernel';

/** Everything in a topic now, partition by partition in order of offset. */
export async function readTopic(log: Log, topic: string, withinMs = 30_000): Promise<LogRecord[]> {
  const ends = await log.offsets(topic);
  const records: LogRecord[] = [];
  const open = new Set([...ends].filter(([, { low, high }]) => high > low).map(([partition]) => partition));
  if (open.size === 0) return [];
  const options = {
    groupId: `test-reader-${createRandomToken()}`,
    topic,
    sessionTimeoutMs: 10_000,
    fetchBytesPerPartitionMax: 1024 * 1024,
    fetchWaitMaxMs: 100,
    fromBeginning: true,
  };
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${topic} could not be read within ${withinMs} ms`)), withinMs);
    const started = log.startConsumer(options, {
      onAssigned() {},
      onRevoked() {},
      async onRecords(partition, some) {
        const high = ends.get(partition)?.high ?? 0;
        records.push(...some.filter(({ offset }) => offset < high));
        if ((some.at(-1)?.offset ?? -1) >= high - 1) open.delete(partition);
        if (open.size > 0) return;
        clearTimeout(timer);
        started.then((consumer) => void consumer.stop().then(resolve, reject), reject);
      },
    });
    started.catch(reject);
  });
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}
