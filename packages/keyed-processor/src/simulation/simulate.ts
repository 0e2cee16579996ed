import type { Breakage } from './breakage.js';
import { findViolation } from './checker.js';
import { Fleet } from './fleet.js';
import { heal, inject } from './inject.js';
import { loseTail, type Stalled } from './lost-tail.js';
import type { WorldPlan } from './plan.js';
import { World } from './world.js';

export interface SimulationOptions {
  /** A rule to break, for the test of the tests. */
  readonly breakage?: Breakage;
  /** Everything that happens, a line each. */
  readonly onTrace?: (line: string) => void;
}

export interface SimulationResult {
  /** What is wrong, once all has come to rest; undefined when the result is that of a run without faults. */
  readonly violation: string | undefined;
  readonly events: number;
  readonly virtualMs: number;
}

/** Nothing new in the log for so long means rest: longer than a session, a rebalance and the latest late call together. */
const QUIET_MS = 9000;
/** Whatever has not come to rest so long after the last fault never will. */
const REST_WITHIN_MS = 90_000;
const LOOK_EVERY_MS = 500;

/** Runs a plan to its end: faults, healing, rest, and the comparison with a run without faults over the same log. */
export async function simulate(plan: WorldPlan, options: SimulationOptions = {}): Promise<SimulationResult> {
  const stalled: Stalled[] = [];
  const world = new World(plan, options.onTrace);
  const fleet = new Fleet(world, plan, {
    breakage: options.breakage,
    onTrace: options.onTrace,
    onStalled: (stage, partition, cause) => stalled.push({ stage, partition, cause }),
  });
  const { scheduler } = world;
  for (const at of fleet.addresses) fleet.start(at);
  for (const { atMs, record } of plan.input) scheduler.schedule(atMs, () => world.write(record));
  for (const fault of plan.faults) {
    scheduler.schedule(fault.atMs, () => {
      options.onTrace?.(`${scheduler.nowMs} ${JSON.stringify(fault)}`);
      inject(fault, { world, fleet });
    });
  }
  await scheduler.runUntil(plan.healAtMs);
  options.onTrace?.(`${scheduler.nowMs} healed`);
  heal({ world, fleet });
  const rested = await waitForRest(world, plan.healAtMs + REST_WITHIN_MS);
  const found = rested ? findViolation(world) : 'it does not come to rest';
  const violation = found ?? (await loseTail(plan.lostTail, { world, fleet, stalled }));
  return { violation, events: scheduler.executed, virtualMs: scheduler.nowMs };
}

async function waitForRest(world: World, deadlineMs: number): Promise<boolean> {
  const { scheduler } = world;
  while (scheduler.nowMs < deadlineMs) {
    await scheduler.runUntil(scheduler.nowMs + LOOK_EVERY_MS);
    if (world.quietForMs >= QUIET_MS && world.workedOff) return true;
  }
  return false;
}
