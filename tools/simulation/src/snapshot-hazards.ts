import { LOST_MS_MAX } from './fault-patterns.js';
import { NAMESPACE } from './layout.js';
import { readStandingSnapshots, type StandingSnapshot } from './standing-snapshots.js';
import type { World } from './world.js';

/**
 * Damages one object of a stage, once, where another snapshot remains that does not need it. A second time might take
 * that one: retention removes the oldest, and does not know which of the others are damaged.
 */
export function damageSnapshot(world: World, stage: number): void {
  if (world.blobs.hasDamaged(`${NAMESPACE}/${world.processorName(stage)}/`)) return;
  for (let partition = 0; partition < world.partitions; partition++) {
    const standing = readStanding(world, { stage, partition });
    const newest = standing.at(-1);
    if (newest === undefined) continue;
    const key = world.draw.pick(newest.keys);
    if (!standing.some(({ keys }) => !keys.includes(key))) continue;
    world.blobs.damage(key);
    return;
  }
}

/**
 * Removes the records of a stage's log that neither the newest snapshot nor the store needs, even after any later
 * fail-over. A partition that is being restored needs the records of its own snapshot, which may be an older one.
 */
export function trimLog(world: World, stage: number): void {
  for (let partition = 0; partition < world.partitions; partition++) {
    const standing = readStanding(world, { stage, partition });
    const newest = standing.findLast(({ manifest }) => world.reportedSnapshots.has(manifest.id));
    const store = world.store({ stage, partition });
    const reached = Math.min(store.nextAfterLosing(0) ?? 0, store.nextAfterLosing(LOST_MS_MAX) ?? 0);
    const low = Math.min(newest?.manifest.begin.next ?? 0, reached);
    world.broker.trim({ topic: world.inputTopic(stage), partition, low });
  }
}

function readStanding(world: World, { stage, partition }: { stage: number; partition: number }): StandingSnapshot[] {
  return readStandingSnapshots(world.blobs.objects, {
    namespace: NAMESPACE,
    processor: world.processorName(stage),
    partition,
  });
}
