import type { World } from './world.js';

/** No append for this long means rest: longer than a session timeout, a rebalance and the latest late call together. */
const QUIET_MS = 9000;
/** A world not at rest this long after the last fault never will be. */
const REST_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 500;

/** False when the world does not come to rest. */
export async function waitForRest(world: World): Promise<boolean> {
  const { scheduler } = world;
  const deadlineMs = scheduler.nowMs + REST_WITHIN_MS;
  while (scheduler.nowMs < deadlineMs) {
    await scheduler.runUntil(scheduler.nowMs + LOOK_EVERY_MS);
    if (world.quietForMs >= QUIET_MS && world.workedOff) return true;
  }
  return false;
}
