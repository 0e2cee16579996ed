import { systemClock } from '@perennial/kernel';
import { replaceKafkajsMethod } from './kafkajs-internals.js';

const REQUEST_QUEUE_MODULE = 'kafkajs/src/network/requestQueue/index.js';
/** As in kafkajs: maximum interval between checks of the requests in flight. */
const CHECK_INTERVAL_MS_MAX = 100;

interface Request {
  /** Milliseconds. */
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

/** The used part of kafkajs's request queue of a connection. */
export interface TimedRequestQueue {
  readonly enforceRequestTimeout: boolean;
  readonly requestTimeout: number;
  readonly inflight: ReadonlyMap<number, Request>;
  requestTimeoutIntervalId: NodeJS.Timeout | undefined;
  isConnected(): boolean;
  destroy(): void;
  scheduleRequestTimeoutCheck(): void;
}

/**
 * kafkajs measures the age of a request by the wall clock. When the clock is set ahead, every request in flight times
 * out at once; when it is set back, the timeout of a request to a silent broker grows by as much, a day for a day. With
 * this patch the age is measured by the monotonic clock, from when a request is first seen in flight.
 */
export function installClockProofTimeouts(): void {
  replaceKafkajsMethod<TimedRequestQueue, 'scheduleRequestTimeoutCheck'>(
    REQUEST_QUEUE_MODULE,
    'scheduleRequestTimeoutCheck',
    () => scheduleRequestTimeoutCheck,
  );
}

function scheduleRequestTimeoutCheck(this: TimedRequestQueue): void {
  if (!this.enforceRequestTimeout) return;
  this.destroy();
  const seenMs = new WeakMap<Request, number>();
  const check = () => {
    const nowMs = systemClock.steadyMs();
    for (const request of this.inflight.values()) {
      const sinceMs = seenMs.get(request);
      if (sinceMs === undefined) seenMs.set(request, nowMs);
      else if (nowMs - sinceMs > request.requestTimeout) request.timeoutRequest();
    }
    if (!this.isConnected()) this.destroy();
  };
  this.requestTimeoutIntervalId = setInterval(check, Math.min(this.requestTimeout, CHECK_INTERVAL_MS_MAX));
}
