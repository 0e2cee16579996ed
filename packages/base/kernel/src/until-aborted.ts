/**
 * The result of `work`. Throws the signal's reason as soon as the signal aborts. The work itself goes on: a caller that
 * stops waiting must release the resources that the work uses.
 */
export async function untilAborted<T>(signal: AbortSignal | undefined, work: Promise<T>): Promise<T> {
  if (signal === undefined) return work;
  const over = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
    // The abort may cause this failure, and it has no receiver any more.
    work.catch(() => undefined);
  }
}
