import { AppError, type Clock, isAppError, retry, systemClock, toMessage } from '@perennial/kernel';
import { BACKFILL_LIMITS } from './limits.js';

export interface Retrying {
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  /** Called at each wait, to report it. */
  readonly onRetry?: (failure: { readonly message: string; readonly waitMs: number }) => void;
}

/**
 * Repeats a request until it gets a final answer. Retriable errors are retried for a bounded time, after a backoff or
 * after `details.retryAfterMs`. Throws `timeout` when it is interrupted.
 */
export async function askPatiently<T>(ask: () => Promise<T>, retrying: Retrying = {}): Promise<T> {
  const { clock = systemClock, signal, onRetry } = retrying;
  const startMs = clock.steadyMs();
  let retryAfterMs = 0;
  const attempt = async (): Promise<T> => {
    if (retryAfterMs > 0) await clock.wait(retryAfterMs, signal);
    throwIfAborted(signal);
    try {
      return await ask();
    } catch (error) {
      throwIfAborted(signal);
      retryAfterMs = toRetryAfterMs(error);
      throw error;
    }
  };
  return retry(attempt, {
    initialMs: BACKFILL_LIMITS.retryInitialMs,
    maxMs: BACKFILL_LIMITS.retryMaxMs,
    clock,
    isRetriable: (error) =>
      isAppError(error) && error.retriable && clock.steadyMs() - startMs < BACKFILL_LIMITS.retryTotalMaxMs,
    ...(signal === undefined ? {} : { signal }),
    onRetry: ({ error, waitMs }) => onRetry?.({ message: toMessage(error), waitMs: Math.max(waitMs, retryAfterMs) }),
  });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AppError('timeout', 'the backfill was interrupted; run it again to go on from here');
}

function toRetryAfterMs(error: unknown): number {
  const asked = isAppError(error) ? error.details.retryAfterMs : 0;
  return typeof asked === 'number' ? Math.min(asked, BACKFILL_LIMITS.retryAfterMaxMs) : 0;
}
