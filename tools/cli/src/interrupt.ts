import { Interrupted } from './exit-codes.js';
import { printNotice } from './output.js';

/**
 * Runs `work` with a signal that aborts at Ctrl-C and at SIGTERM, so that everything a command has started is stopped
 * first. A second signal ends the process at once.
 */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const giveUp = new AbortController();
  const abort = () => {
    printNotice('perennial: stopping what was started; once more to leave it');
    giveUp.abort(new Interrupted());
  };
  process.once('SIGINT', abort).once('SIGTERM', abort);
  try {
    return await work(giveUp.signal);
  } finally {
    process.off('SIGINT', abort).off('SIGTERM', abort);
  }
}
