/**
 * What `work` comes to, or a throw of the signal's reason as soon as it aborts. The work itself goes on: whoever gives up
 * on it releases what it stands on.
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
    // Nobody is left to hear of a failure that giving up has caused.
    work.catch(() => undefined);
  }
}
