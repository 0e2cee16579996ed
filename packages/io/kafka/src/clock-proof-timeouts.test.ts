import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { installClockProofTimeouts, type TimedRequestQueue } from './clock-proof-timeouts.js';
import { openKafkajsInternals } from './kafkajs-internals.js';

const DAY_MS = 86_400_000;
const TIMEOUT_MS = 5_000;

interface RequestQueue extends TimedRequestQueue {
  push(request: object): void;
}

type RequestQueueClass = new (options: Record<string, unknown>) => RequestQueue;

describe('the request of a connection of kafkajs', () => {
  const reject = jest.fn();
  let queue: RequestQueue;

  beforeEach(() => {
    jest.useFakeTimers();
    installClockProofTimeouts();
    reject.mockClear();
    const RequestQueueClass = openKafkajsInternals()('kafkajs/src/network/requestQueue/index.js') as RequestQueueClass;
    queue = new RequestQueueClass({
      requestTimeout: TIMEOUT_MS,
      enforceRequestTimeout: true,
      clientId: 'test',
      broker: 'broker:9092',
      logger: { debug() {} },
    });
    queue.scheduleRequestTimeoutCheck();
    queue.push({
      entry: { correlationId: 1, apiName: 'Fetch', apiKey: 1, apiVersion: 11, reject },
      expectResponse: true,
      sendRequest() {},
    });
  });

  afterEach(() => {
    queue.destroy();
    jest.useRealTimers();
  });

  it.each([
    ['is set ahead', DAY_MS],
    ['is set back', -DAY_MS],
    ['is not touched', 0],
  ])('times out when it is due, if the clock %s', (_how, jumpMs) => {
    jest.advanceTimersByTime(1_000);
    jest.setSystemTime(Date.now() + jumpMs);
    jest.advanceTimersByTime(TIMEOUT_MS - 1_500);
    expect(reject).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1_000);
    expect(reject).toHaveBeenCalledTimes(1);
    expect(queue.inflight.size).toBe(0);
  });
});
