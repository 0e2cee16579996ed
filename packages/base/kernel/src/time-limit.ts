import { type Clock, systemClock } from './clock.js';
import { AppError } from './errors.js';

export interface TimeLimit {
  readonly ms: number;
  /** What the error says when the time is over. */
  readonly message: string;
  /** Default `timeout`; `dependency_unavailable` where no answer means that nobody is there. */
  readonly code?: 'timeout' | 'dependency_unavailable';
  readonly clock?: Clock;
  /** Gives up earlier, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * What `work` comes to, or a throw as soon as the time is over (a retriable AppError) or `signal` aborts (its reason). The signal
 * that `work` gets aborts then; work that does not listen to it goes on, and its result is nobody's. Not by `AbortSignal.any`:
 * in Node 20 a timeout that is joined to another signal, and held by nobody else, is collected with the garbage and never comes.
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

/** Waits for `work`, but no longer than `ms`, nor when `signal` aborts; says whether it has ended. Throws what `work` throws meanwhile. */
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
    // Nobody is left to hear of a failure that comes later.
    work.catch(() => undefined);
  }
}
