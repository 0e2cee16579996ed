import { must } from '@perennial/kernel';
import { findViolation } from './checker.js';
import { Fleet } from './fleet.js';
import { heal, inject } from './inject.js';
import { restoreLast } from './last-restore.js';
import { loseTail, type Stalled } from './lost-tail.js';
import { MUTANTS } from './mutants.js';
import type { WorldPlan } from './plan.js';
import { waitForRest } from './rest.js';
import type { RuleName } from './rules.js';
import { createSubject } from './subjects.js';
import { World } from './world.js';

export interface SimulationOptions {
  /** A rule to break, to test the simulator itself. */
  readonly mutant?: RuleName;
  /** Receives every event as a line. */
  readonly onTrace?: (line: string) => void;
}

export interface SimulationResult {
  /** The violation found at rest; undefined when the result equals that of a run without faults. */
  readonly violation: string | undefined;
  /** How often the mutant broke its rule: if never, a violation has another cause. */
  readonly broken: number;
  readonly events: number;
  readonly virtualMs: number;
}

/** Runs a plan to its end: faults, healing, rest, and the comparison with a run without faults over the same log. */
export async function simulate(plan: WorldPlan, options: SimulationOptions = {}): Promise<SimulationResult> {
  const stalled: Stalled[] = [];
  const crashes: string[] = [];
  let broken = 0;
  const world = new World(plan, createSubject(plan), options.onTrace);
  const fleet = new Fleet(world, plan, {
    mutant: options.mutant && must(MUTANTS[options.mutant], `the mutant ${options.mutant}`),
    onTrace: options.onTrace,
    onCrash: (what) => crashes.push(what),
    onBroken: () => {
      broken++;
    },
    onStalled: (stage, partition, cause) => stalled.push({ stage, partition, cause }),
  });
  const { scheduler } = world;
  for (const at of fleet.addresses) fleet.start(at);
  for (const write of plan.input) scheduler.schedule(write.atMs, () => world.write(write.record, write));
  for (const fault of plan.faults) {
    scheduler.schedule(fault.atMs, () => {
      options.onTrace?.(`${scheduler.nowMs} ${JSON.stringify(fault)}`);
      inject(fault, { world, fleet });
    });
  }
  world.subject.startJobs?.(world);
  await scheduler.runUntil(plan.healAtMs);
  options.onTrace?.(`${scheduler.nowMs} healed`);
  heal({ world, fleet });
  const violation =
    (await findFirst(plan, { world, fleet, stalled })) ?? crashes[0] ?? world.jobFailures[0] ?? toRewritten(world);
  return { violation, broken, events: scheduler.executed, virtualMs: scheduler.nowMs };
}

/** Checks first at rest, then after the final faults. */
async function findFirst(
  plan: WorldPlan,
  { world, fleet, stalled }: { world: World; fleet: Fleet; stalled: readonly Stalled[] },
): Promise<string | undefined> {
  const rested = await waitForRest(world);
  const found = rested ? await findViolation(world) : 'it does not come to rest';
  return (
    found ??
    (await restoreLast(plan.lastRestore, { world, fleet })) ??
    (await loseTail(plan.lostTail, { world, fleet, stalled }))
  );
}

function toRewritten({ blobs }: World): string | undefined {
  return blobs.rewritten && `the object ${blobs.rewritten} was written again with other bytes`;
}
