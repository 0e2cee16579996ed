import type { World } from './world.js';

/** Nothing new in the log for so long means rest: longer than a session, a rebalance and the latest late call together. */
const QUIET_MS = 9000;
/** Whatever has not come to rest so long after the last fault never will. */
const REST_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 500;

/** False when it does not come to rest. */
export async function waitForRest(world: World): Promise<boolean> {
  const { scheduler } = world;
  const deadlineMs = scheduler.nowMs + REST_WITHIN_MS;
  while (scheduler.nowMs < deadlineMs) {
    await scheduler.runUntil(scheduler.nowMs + LOOK_EVERY_MS);
    if (world.quietForMs >= QUIET_MS && world.workedOff) return true;
  }
  return false;
}
