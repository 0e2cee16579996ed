import { expect, it } from '@jest/globals';
import { encodePosition, HEADERS, type TopicName, toTopic } from '@perennial/contracts';
import { createMemoryLog } from '@perennial/kafka/testing';
import { findLongestDelay, readDelays } from './delays.js';

it('tells how long each record waited for its first output, hop by hop', async () => {
  let nowMs = 0;
  const log = createMemoryLog({ partitions: 2, now: () => nowMs });
  const append = (name: TopicName, atMs: number, cause?: { processor: string; offset: number }) => {
    nowMs = atMs;
    const headers: Record<string, string> = {};
    if (cause !== undefined)
      headers[HEADERS.position] = encodePosition({ source: `${cause.processor}/1`, offset: cause.offset, ordinal: 0 });
    log.append({ topic: toTopic('n', name), partition: 1, key: null, value: null, headers });
  };
  append('eventAccepted', 1_000);
  append('eventAccepted', 2_000);
  append('eventAccepted', 3_000);
  append('featureUpdated', 1_010, { processor: 'feature-store', offset: 0 });
  append('featureUpdated', 9_000, { processor: 'feature-store', offset: 1 });
  append('featureUpdated', 9_500, { processor: 'feature-store', offset: 1 });
  append('scoreComputed', 1_500, { processor: 'scoring', offset: 0 });
  append('actionDecided', 1_530, { processor: 'action', offset: 0 });

  const delays = await readDelays(log, 'n');

  expect(delays).toEqual([
    { appendedAtMs: 1_000, delayMs: 10 },
    { appendedAtMs: 2_000, delayMs: 7_000 },
    { appendedAtMs: 1_010, delayMs: 490 },
    { appendedAtMs: 1_500, delayMs: 30 },
  ]);
  expect(findLongestDelay(delays, { fromMs: 1_000, untilMs: 1_999 })).toBe(490);
  expect(findLongestDelay(delays, { fromMs: 2_000, untilMs: 2_000 })).toBe(7_000);
  expect(findLongestDelay(delays, { fromMs: 5_000, untilMs: 6_000 })).toBe(0);
});
