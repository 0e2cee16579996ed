import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type ConsumerGroup, installClockProofHeartbeat } from './clock-proof-heartbeat.js';
import { openKafkajsInternals } from './kafkajs-internals.js';

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 0, 15);
const interval = 500;

describe('the heartbeat of kafkajs', () => {
  const heartbeat = jest.fn(async () => undefined);
  let group: ConsumerGroup;

  beforeEach(() => {
    installClockProofHeartbeat();
    jest.useFakeTimers({ now: NOW_MS });
    heartbeat.mockClear();
    const ConsumerGroupClass = openKafkajsInternals()('kafkajs/src/consumer/consumerGroup.js') as new (
      options: object,
    ) => ConsumerGroup;
    const member = new ConsumerGroupClass({ logger: { namespace: () => ({}) }, instrumentationEmitter: { emit() {} } });
    group = Object.assign(member, { memberId: 'm', coordinator: { heartbeat } });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is sent once an interval', async () => {
    await group.heartbeat({ interval });
    expect(heartbeat).toHaveBeenCalledTimes(0);
    jest.setSystemTime(NOW_MS + interval);
    await group.heartbeat({ interval });
    await group.heartbeat({ interval });
    expect(heartbeat).toHaveBeenCalledTimes(1);
  });

  it('goes on when the clock is set a day ahead and back', async () => {
    for (const atMs of [NOW_MS + DAY_MS, NOW_MS, NOW_MS + interval, NOW_MS - DAY_MS]) {
      jest.setSystemTime(atMs);
      await group.heartbeat({ interval });
    }
    expect(heartbeat).toHaveBeenCalledTimes(4);
  });
});
