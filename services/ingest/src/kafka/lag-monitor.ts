import type { Log } from '@perennial/kafka';
import type { Clock } from '@perennial/kernel';
import type { IngestEvents } from '../events.js';

const LAG_INTERVAL_MS = 10_000;

/** Measures how many records of a topic its group has not committed, every ten seconds. */
export function startLagMonitor(options: {
  readonly log: Log;
  readonly topic: string;
  readonly groupId: string;
  readonly clock: Clock;
  readonly events: IngestEvents;
}): { stop(): Promise<void> } {
  const { log, topic, groupId, clock, events } = options;
  const stopping = new AbortController();

  async function measure(): Promise<number> {
    const [ends, committed] = await Promise.all([log.offsets(topic), log.groupOffsets(groupId, topic)]);
    let lag = 0;
    for (const [partition, { low, high }] of ends)
      lag += Math.max(0, high - Math.max(committed.get(partition) ?? 0, low));
    return lag;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await measure().then(events.lagMeasured, events.lagUnknown);
      await clock.wait(LAG_INTERVAL_MS, stopping.signal);
    }
  }

  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
