import { type Clock, systemClock } from './clock.js';
import { AppError } from './errors.js';

export interface TimeLimit {
  readonly ms: number;
  /** Error message after a timeout. */
  readonly message: string;
  /**
   * Default `timeout`; use `dependency_unavailable` where a missing answer means that the dependency is unavailable.
   */
  readonly code?: 'timeout' | 'dependency_unavailable';
  readonly clock?: Clock;
  /** Ends the wait earlier, with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The result of `work`. Throws as soon as the time is over (a retriable AppError) or `signal` aborts (its reason); the
 * signal that `work` gets aborts then. Work that ignores that signal goes on, and its result is dropped. Does not use
 * `AbortSignal.any`: in Node 20 a timeout signal that is joined to another signal and not referenced elsewhere is
 * garbage-collected and never fires.
 */
export function withLimit<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { ms, message, code = 'timeout', clock = systemClock, signal } = limit;
  const ended = new AbortController();
  const done = new AbortController();
  return new Promise((resolve, reject) => {
    const finish = () => {
      done.abort();
      signal?.removeEventListener('abort', onAbort);
    };
    const giveUp = (reason: unknown) => {
      finish();
      reject(reason);
      ended.abort(reason);
    };
    const onAbort = () => giveUp(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) return onAbort();
    void clock.wait(ms, done.signal).then(() => {
      if (!done.signal.aborted) giveUp(new AppError(code, message, { retriable: true }));
    });
    work(ended.signal).then(resolve, reject).finally(finish);
  });
}

/**
 * Waits for `work`, at most `ms` and until `signal` aborts; returns whether it has ended. Throws what `work` throws
 * meanwhile.
 */
export async function endsWithin(
  limit: { readonly ms: number; readonly clock: Clock; readonly signal?: AbortSignal },
  work: Promise<unknown>,
): Promise<boolean> {
  const done = new AbortController();
  const stop = () => done.abort();
  limit.signal?.addEventListener('abort', stop, { once: true });
  if (limit.signal?.aborted) stop();
  try {
    return await Promise.race([work.then(() => true), limit.clock.wait(limit.ms, done.signal).then(() => false)]);
  } finally {
    stop();
    limit.signal?.removeEventListener('abort', stop);
    // A later failure has no receiver any more.
    work.catch(() => undefined);
  }
}
