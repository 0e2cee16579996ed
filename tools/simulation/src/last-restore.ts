import { findViolation } from './checker.js';
import type { Fleet } from './fleet.js';
import type { LastRestore } from './plan.js';
import { waitForRest } from './rest.js';
import type { World } from './world.js';

/** Empties a stage's store once all is at rest, and sends a tick: the restored content must be correct. */
export async function restoreLast(
  last: LastRestore | undefined,
  { world, fleet }: { world: World; fleet: Fleet },
): Promise<string | undefined> {
  if (last === undefined) return undefined;
  const addresses = fleet.addresses.filter(({ stage }) => stage === last.stage);
  if (last.restart) for (const at of addresses) fleet.kill(at);
  for (const store of world.storesOf([last.stage])) store.empty();
  if (last.restart) for (const at of addresses) fleet.start(at);
  for (let partition = 0; partition < world.partitions; partition++) {
    world.write({
      topic: world.inputTopic(last.stage),
      partition,
      key: null,
      value: world.subject.encodeLateTick(1),
      headers: {},
    });
  }
  const found = (await waitForRest(world)) ? await findViolation(world) : 'it does not come to rest';
  return found && `after the store of stage ${last.stage} was emptied at rest: ${found}`;
}
