import { toPrintable } from '@perennial/kernel';
import { printNotice } from './output.js';

/** Reports progress on stderr, but only once the work takes longer than two seconds. */
export interface Progress {
  report(message: string): void;
  /** Ends it; nothing is printed afterwards. */
  done(): void;
}

const QUIET_MS = 2_000;
/** Names and causes in it may be somebody else's. */
const MESSAGE = { charsMax: 1_000 };

/** Silent at first; then prints the current step, and from then on each new one. */
export function createProgress(write: (text: string) => void = printNotice): Progress {
  let latest: string | undefined;
  let speaking = false;
  const startedAt = performance.now();
  const print = (message: string) =>
    write(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(6)} s  ${toPrintable(message, MESSAGE)}`);
  const timer = setTimeout(() => {
    speaking = true;
    if (latest !== undefined) print(latest);
  }, QUIET_MS);
  timer.unref();
  return {
    report: (message) => {
      latest = message;
      if (speaking) print(message);
    },
    done: () => clearTimeout(timer),
  };
}
