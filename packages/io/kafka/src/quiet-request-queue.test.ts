import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { openKafkajsInternals } from './kafkajs-internals.js';
import { installQuietRequestQueue, type RequestQueue } from './quiet-request-queue.js';

type RequestQueueClass = new (options: Record<string, unknown>) => RequestQueue & { destroy(): void };

function createQueue(pending: unknown[], throttledUntil: number): RequestQueue {
  const require = openKafkajsInternals();
  const RequestQueueClass = require?.('kafkajs/src/network/requestQueue/index.js') as RequestQueueClass;
  const queue: RequestQueue = Object.create(RequestQueueClass.prototype);
  return Object.assign(queue, { pending, throttledUntil, checkPendingRequests: jest.fn() });
}

describe('the request queue of kafkajs, quiet', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    installQuietRequestQueue();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('sets no timer when nothing is pending', () => {
    createQueue([], -1).scheduleCheckPendingRequests();
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    ['soon, when nothing throttles', -1, 10],
    ['when the throttling ends', 500, 500],
  ])('looks at what is pending %s', (_when, throttledForMs, waitMs) => {
    const queue = createQueue(['request'], throttledForMs < 0 ? -1 : Date.now() + throttledForMs);
    queue.scheduleCheckPendingRequests();
    queue.scheduleCheckPendingRequests();
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(waitMs - 1);
    expect(queue.checkPendingRequests).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(queue.checkPendingRequests).toHaveBeenCalledTimes(1);
  });
});
