const PAUSE_MS = 50;

/** Retries until `check` neither throws nor returns false; after the timeout, fails with its last error. */
export async function eventually(
  check: () => Promise<unknown>,
  options: { withinMs: number; what: string },
): Promise<void> {
  const deadline = Date.now() + options.withinMs;
  for (;;) {
    let last: unknown;
    try {
      if ((await check()) !== false) return;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${options.what}: not within ${options.withinMs} ms`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
