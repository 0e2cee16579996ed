import { PROCESSOR_NAMES, type ProcessorName } from '@perennial/contracts';
import { systemClock } from '@perennial/kernel';
import type { ModulePatch } from '../patches.js';
import { RELEASES } from '../releases.js';
import type { World } from '../world.js';
import type { Draw, Fault } from './fault.js';

/** For which releases work side by side, and for which the newest works alone. */
const SIDE_BY_SIDE_MS = { min: 2_000, max: 4_000 };

/** Restarts a processor's instances one by one as another release; the old one and the new one share the partitions meanwhile. */
async function roll(
  { fleet }: World,
  { service, patches }: { service: ProcessorName; patches: readonly ModulePatch[] },
  draw: Draw,
): Promise<void> {
  for (const instance of [...fleet.of(service)]) {
    await fleet.restartAs(instance, patches);
    await fleet.waitUntilReady();
    await systemClock.wait(draw.between(SIDE_BY_SIDE_MS.min, SIDE_BY_SIDE_MS.max));
  }
}

const upgradeAndRollBack: Fault = {
  name: 'upgrade-and-roll-back',
  row: 17,
  lane: 'services',
  async run(world, draw) {
    const service = draw.pick(PROCESSOR_NAMES);
    const { reads, writes } = RELEASES[service];
    await roll(world, { service, patches: reads }, draw);
    await roll(world, { service, patches: [...reads, ...writes] }, draw);
    // Back to what reads the new states; not further, since they stay until their profiles change.
    await roll(world, { service, patches: reads }, draw);
    return `${service}, to the next release but one and back by one`;
  },
};

export const UPGRADE_FAULTS: readonly Fault[] = [upgradeAndRollBack];
