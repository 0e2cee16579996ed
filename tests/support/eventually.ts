const PAUSE_MS = 50;

/** Tries until `check` neither throws nor gives false, and fails with its last words when the time is over. */
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
