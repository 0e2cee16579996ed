import type { Fleet } from './fleet.js';
import type { LostTail } from './plan.js';
import type { World } from './world.js';

/** A partition that was visibly not processed. */
export interface Stalled {
  readonly stage: number;
  readonly partition: number;
  readonly cause: string;
}

const NOTICED_WITHIN_MS = 8000;
/**
 * Removes the last records of a processed partition: the processor has to stop visibly. An owner that was running when
 * it happened stays stopped when the log has grown again. (A new owner that starts when the log has grown past the lost
 * offset cannot detect it: see docs/RELIABILITY.md.)
 */
export async function loseTail(
  lost: LostTail | undefined,
  { world, fleet, stalled }: { world: World; fleet: Fleet; stalled: readonly Stalled[] },
): Promise<string | undefined> {
  if (lost === undefined) return undefined;
  const place = { topic: world.inputTopic(lost.stage), partition: lost.partition };
  const next = world.records(place).length;
  const count = Math.min(lost.records, next - world.broker.low(place));
  if (count === 0) return undefined;
  const before = stalled.length;
  const addresses = fleet.addresses.filter(({ stage }) => stage === lost.stage);
  if (lost.restart) for (const at of addresses) fleet.kill(at);
  world.broker.cutTail({ ...place, count });
  if (lost.restart) for (const at of addresses) fleet.start(at);
  await world.scheduler.runUntil(world.scheduler.nowMs + NOTICED_WITHIN_MS);
  const stopped = stalled.slice(before).some(({ stage, partition, cause }) => {
    return stage === lost.stage && partition === lost.partition && cause.includes('lost its tail');
  });
  if (!stopped) return `${place.topic}/${place.partition} lost its tail, and nobody said so`;
  if (lost.restart) return undefined;
  for (let i = 0; i < count + 2; i++)
    world.write({ ...place, key: null, value: world.subject.encodeLateTick(2), headers: {} });
  await world.scheduler.runUntil(world.scheduler.nowMs + NOTICED_WITHIN_MS);
  const reached = world.store(lost).meta?.next;
  return reached === next
    ? undefined
    : `${place.topic}/${place.partition} goes on at ${reached} after it lost its tail`;
}
