import { systemClock } from '@perennial/kernel';
import { replaceKafkajsMethod } from './kafkajs-internals.js';

const REQUEST_QUEUE_MODULE = 'kafkajs/src/network/requestQueue/index.js';
/** As in kafkajs: how often the requests that wait for their answer are looked at, at least. */
const CHECK_INTERVAL_MS_MAX = 100;

interface Request {
  /** Milliseconds. */
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

/** What is used of kafkajs's queue of a connection's requests. */
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
 * kafkajs tells the age of a request by the machine's clock. Set ahead, it ends every request in flight at once; set back, a
 * request to a broker that has fallen silent is waited for that much longer, a day for a day. Here it goes by the clock that
 * nobody sets, from when a request is first seen in flight.
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
