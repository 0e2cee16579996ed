import { HEADERS, parsePosition, type TopicName, toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { readWhole } from './read-whole.js';

/** The input topic of each processor, and the topic of its outputs. Action has outputs for a few records only. */
const HOPS: readonly { readonly input: TopicName; readonly output: TopicName }[] = [
  { input: 'eventAccepted', output: 'featureUpdated' },
  { input: 'featureUpdated', output: 'scoreComputed' },
  { input: 'scoreComputed', output: 'actionDecided' },
];

/** One processed record: when the broker appended it, and how much later its first output. */
export interface Delay {
  readonly appendedAtMs: number;
  readonly delayMs: number;
}

/**
 * By the broker's clock, which no fault changes. The delay of the first record of a stalled partition is the length of
 * the stall.
 */
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
      // Only the first output counts: other outputs of this record, and those that are published again, come later.
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
