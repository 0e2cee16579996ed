import { setTimeout as wait } from 'node:timers/promises';
import { AppError } from '@perennial/kernel';
import { readCpuOf } from './processor-time.js';

const INTERVAL_MS = 500;
/** Share of one core, all processes together: ticks, timers and heartbeats need some of it. */
const QUIET_SHARE_MAX = 0.5;
const QUIET_WAIT_MS_MAX = 60_000;

/** Waits until the remaining work of an earlier run (lagging tables, compilers, garbage collectors) is done. */
export async function waitForQuiet(pids: Readonly<Record<string, number>>): Promise<void> {
  const startedMs = performance.now();
  let used = sum(readCpuOf(pids));
  for (;;) {
    await wait(INTERVAL_MS);
    const now = sum(readCpuOf(pids));
    if (((now - used) * 1000) / INTERVAL_MS <= QUIET_SHARE_MAX) return;
    if (performance.now() - startedMs > QUIET_WAIT_MS_MAX) {
      throw new AppError('timeout', `the chain was not quiet within ${QUIET_WAIT_MS_MAX / 1000} s of the run before`);
    }
    used = now;
  }
}

function sum(seconds: Readonly<Record<string, number>>): number {
  return Object.values(seconds).reduce((total, one) => total + one, 0);
}
