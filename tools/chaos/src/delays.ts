import { HEADERS, parsePosition, type TopicName, toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { readWhole } from './read-whole.js';

/** What each processor reads, and where what it makes of that is seen. Action makes something of a few records only. */
const HOPS: readonly { readonly input: TopicName; readonly output: TopicName }[] = [
  { input: 'eventAccepted', output: 'featureUpdated' },
  { input: 'featureUpdated', output: 'scoreComputed' },
  { input: 'scoreComputed', output: 'actionDecided' },
];

/** One record that was processed: when the broker appended it, and how much later its first output. */
export interface Delay {
  readonly appendedAtMs: number;
  readonly delayMs: number;
}

/** By the broker's clock, which no fault sets. The first record of a partition that stands still waits for as long as it does. */
export async function readDelays(log: Log, namespace: string): Promise<Delay[]> {
  const delays: Delay[] = [];
  for (const { input, output } of HOPS) {
    const appended = new Map<string, number>();
    await readWhole(log, toTopic(namespace, input), ({ partition, offset, timestampMs }) => {
      appended.set(`${partition}:${offset}`, timestampMs);
    });
    await readWhole(log, toTopic(namespace, output), ({ headers, timestampMs }) => {
      const position = parsePosition(headers[HEADERS.position]);
      if (position === undefined) return;
      const place = `${position.source.slice(position.source.lastIndexOf('/') + 1)}:${position.offset}`;
      const appendedAtMs = appended.get(place);
      // Only the first output counts: the others of this record, and those that are published again, come later.
      if (appendedAtMs !== undefined) delays.push({ appendedAtMs, delayMs: timestampMs - appendedAtMs });
      appended.delete(place);
    });
  }
  return delays;
}

/** The longest delay of a record that was appended within these times, ms; 0 without any. */
export function findLongestDelay(delays: readonly Delay[], times: { fromMs: number; untilMs: number }): number {
  let longestMs = 0;
  for (const { appendedAtMs, delayMs } of delays)
    if (appendedAtMs >= times.fromMs && appendedAtMs <= times.untilMs) longestMs = Math.max(longestMs, delayMs);
  return longestMs;
}
