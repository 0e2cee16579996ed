/**
 * A log line that could come for every record: writes the first one of each interval, with the number of lines
 * suppressed since the last one. A metric beside it has the full count.
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
