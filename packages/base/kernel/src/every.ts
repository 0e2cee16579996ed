import type { Clock } from './clock.js';

export interface IntervalOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Called when `work` fails; the next run still takes place. */
  readonly onError: (error: unknown) => void;
  /** Runs at once; default: the first run comes after one interval. */
  readonly immediately?: boolean;
  /** Measures the interval from the start of the last run (with a pause of at least 1 ms); default: from its end. */
  readonly paced?: boolean;
}

export interface Interval {
  /** Starts no further run; resolves when the current one has ended. */
  stop(): Promise<void>;
}

/** Runs `work` at intervals, one run at a time, until it is stopped. */
export function every(options: IntervalOptions, work: () => Promise<void>): Interval {
  const { intervalMs, clock, onError, immediately = false, paced = false } = options;
  const stopping = new AbortController();
  const run = async () => {
    let restMs = immediately ? 0 : intervalMs;
    for (;;) {
      if (restMs > 0) await clock.wait(restMs, stopping.signal);
      if (stopping.signal.aborted) return;
      const startedMs = clock.steadyMs();
      await work().catch(onError);
      restMs = paced ? Math.max(1, intervalMs - (clock.steadyMs() - startedMs)) : intervalMs;
    }
  };
  const running = run();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
