import { replaceKafkajsMethod } from './kafkajs-internals.js';

const REQUEST_QUEUE_MODULE = 'kafkajs/src/network/requestQueue/index.js';
/** As in kafkajs: how soon pending requests are looked at again when no throttling says. */
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
 * kafkajs sets a timer after every response to look at pending requests, also when there are none; the time it computes is
 * then negative, which Node takes for 1 ms, and the check sets the timer again: each connection wakes the process a
 * thousand times a second, for ever. Here a timer is set only while something is pending; a push sets it itself.
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
