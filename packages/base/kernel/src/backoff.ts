import type { Clock } from './clock.js';
import { systemClock } from './clock.js';

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Total number of attempts; absent means unlimited (until `signal` aborts). */
  readonly attemptsMax?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** In [0, 1); a source of jitter, injected so that tests are deterministic. */
  readonly random?: () => number;
  /** Called before each wait, so that a retry is always visible. */
  readonly onRetry?: (failure: { error: unknown; attempt: number; waitMs: number }) => void;
  /** Which errors are retried; default: all. */
  readonly isRetriable?: (error: unknown) => boolean;
}

/** Exponential wait with jitter: random between half and all of `initialMs * 2^attempt`, at most `maxMs`. */
export function toBackoffMs(
  attempt: number,
  options: { initialMs: number; maxMs: number },
  random: () => number,
): number {
  const ceiling = Math.min(options.maxMs, options.initialMs * 2 ** Math.min(attempt, 30));
  return Math.round(ceiling * (0.5 + random() / 2));
}

/** Runs `operation` until it succeeds, the error is not retriable, attempts run out, or the signal aborts. */
export async function retry<T>(operation: () => Promise<T>, options: BackoffOptions): Promise<T> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  for (let attempt = 0; ; attempt++) {
    try {
      return await operation();
    } catch (error) {
      const last = options.attemptsMax !== undefined && attempt + 1 >= options.attemptsMax;
      if (last || options.signal?.aborted || options.isRetriable?.(error) === false) throw error;
      const waitMs = toBackoffMs(attempt, options, random);
      options.onRetry?.({ error, attempt, waitMs });
      await clock.wait(waitMs, options.signal);
      if (options.signal?.aborted) throw error;
    }
  }
}
