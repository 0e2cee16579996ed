import { replaceKafkajsMethod } from './kafkajs-internals.js';

const REQUEST_QUEUE_MODULE = 'kafkajs/src/network/requestQueue/index.js';
/** As in kafkajs: interval between checks of pending requests when the broker does not throttle. */
const CHECK_PENDING_INTERVAL_MS = 10;

/** What the replacement uses of kafkajs's request queue. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null | undefined;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/**
 * kafkajs sets a timer after every response to check pending requests, even when there are none. The computed time is
 * then negative, which Node treats as 1 ms, and the check sets the timer again: each connection wakes the process a
 * thousand times a second, for ever. With this patch a timer is set only while a request is pending; a push sets it
 * itself.
 */
export function installQuietRequestQueue(): void {
  replaceKafkajsMethod<RequestQueue, 'scheduleCheckPendingRequests'>(
    REQUEST_QUEUE_MODULE,
    'scheduleCheckPendingRequests',
    () => scheduleCheckPendingRequests,
  );
}

function scheduleCheckPendingRequests(this: RequestQueue): void {
  if (this.pending.length === 0 || this.throttleCheckTimeoutId) return;
  const throttledMs = this.throttledUntil - Date.now();
  const waitMs = throttledMs > 0 ? throttledMs : CHECK_PENDING_INTERVAL_MS;
  this.throttleCheckTimeoutId = setTimeout(() => {
    this.throttleCheckTimeoutId = null;
    this.checkPendingRequests();
  }, waitMs);
}
