import { type Log, readUnread, sumLag } from '@perennial/kafka';
import { type Clock, every } from '@perennial/kernel';
import type { IngestEvents } from '../telemetry.js';

const LAG_INTERVAL_MS = 10_000;

/** Measures every ten seconds what the group has not committed, and what open transactions hold back from it. */
export function startLagMonitor(options: {
  readonly log: Log;
  readonly topic: string;
  readonly groupId: string;
  readonly clock: Clock;
  readonly events: IngestEvents;
}): { stop(): Promise<void> } {
  const { log, topic, groupId, clock, events } = options;
  return every({ intervalMs: LAG_INTERVAL_MS, clock, immediately: true, onError: events.lagUnknown }, async () => {
    events.lagMeasured(sumLag(await readUnread(log, { groupId, topic })));
    events.heldBackMeasured(await log.heldBack(topic));
  });
}
