import { PROCESSOR_NAMES, type ProcessorName } from '@perennial/contracts';
import { AppError, systemClock } from '@perennial/kernel';
import type { Release } from '../releases.js';
import type { World } from '../world.js';
import type { Draw, Fault } from './fault.js';

/** How long two releases run side by side, and how long the newest runs alone. */
const SIDE_BY_SIDE_MS = { min: 2_000, max: 4_000 };
/** The other lane may have made the broker or a store unavailable for a minute. */
const WRITTEN_WITHIN_MS = 120_000;
const POLL_MS = 50;

/**
 * Restarts a processor's instances one by one as another release; old and new release share the partitions meanwhile.
 */
async function roll(
  { fleet }: World,
  { service, release }: { service: ProcessorName; release: Release },
  draw: Draw,
): Promise<void> {
  for (const instance of [...fleet.of(service)]) {
    await fleet.restartAs(instance, release);
    await fleet.waitUntilReady();
    await systemClock.wait(draw.between(SIDE_BY_SIDE_MS.min, SIDE_BY_SIDE_MS.max));
  }
}

/** Without a state in the new version, the fault has tested nothing. */
async function waitUntilWritten({ fleet }: World, service: ProcessorName): Promise<void> {
  const deadline = systemClock.now() + WRITTEN_WITHIN_MS;
  while (!fleet.of(service).some((instance) => fleet.hasHappened(instance, 'release-written'))) {
    if (systemClock.now() > deadline) throw new AppError('timeout', `no ${service} wrote a state of the new version`);
    await systemClock.wait(POLL_MS);
  }
}

const upgradeAndRollBack: Fault = {
  name: 'upgrade-and-roll-back',
  row: 17,
  lane: 'services',
  async run(world, draw) {
    const service = draw.pick(PROCESSOR_NAMES);
    await roll(world, { service, release: 'reads' }, draw);
    await roll(world, { service, release: 'writes' }, draw);
    await waitUntilWritten(world, service);
    // Back to the release that reads the new states; not further, because they stay until their profiles change.
    await roll(world, { service, release: 'reads' }, draw);
    return `${service}, to the next release but one and back by one`;
  },
};

export const UPGRADE_FAULTS: readonly Fault[] = [upgradeAndRollBack];
