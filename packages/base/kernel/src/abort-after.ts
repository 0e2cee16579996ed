/**
 * Does `work` with a signal that aborts after `ms` (with a `TimeoutError`), or when `signal` does. Not by `AbortSignal.any`:
 * in Node 20 a timeout that is joined to another signal, and held by nobody else, is collected with the garbage and never comes.
 */
export async function abortAfter<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const end = () => ended.abort(signal?.reason);
  const timer = setTimeout(() => ended.abort(new DOMException(`nothing within ${ms} ms`, 'TimeoutError')), ms);
  signal?.addEventListener('abort', end, { once: true });
  if (signal?.aborted) end();
  try {
    return await work(ended.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', end);
  }
}
