import type { Clock } from './clock.js';

export interface IntervalOptions {
  readonly intervalMs: number;
  readonly clock: Clock;
  /** Hears of work that failed; the next is done all the same. */
  readonly onError: (error: unknown) => void;
  /** Default: the first work is done after one interval. */
  readonly immediately?: boolean;
  /** Counts the interval from where the last work began (but rests 1 ms at least); default: from where it ended. */
  readonly paced?: boolean;
}

export interface Interval {
  /** Nothing begins any more; resolves when what is under way has ended. */
  stop(): Promise<void>;
}

/** Does `work` at intervals, one at a time, until it is stopped. */
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
