/**
 * A log line that may come for every record: writes the first of each interval, and tells with it how many were left out
 * since the one before. A metric beside it has the whole count.
 */
export function createLimitedLog<T>(
  write: (what: T, leftOut: number) => void,
  { intervalMs, nowMs = () => performance.now() }: { readonly intervalMs: number; readonly nowMs?: () => number },
): (what: T) => void {
  let writtenAtMs = Number.NEGATIVE_INFINITY;
  let leftOut = 0;
  return (what) => {
    const now = nowMs();
    if (now - writtenAtMs < intervalMs) {
      leftOut += 1;
      return;
    }
    write(what, leftOut);
    writtenAtMs = now;
    leftOut = 0;
  };
}
