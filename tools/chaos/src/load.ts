import { createSeededRandom, type ReleaseStack } from '@perennial/kernel';
import type { MutantName } from './mutants.js';
import { Partings } from './partings.js';
import { Retractions } from './retractions.js';
import type { World } from './world.js';

/** How long the workload may take to have everything acknowledged once it is asked to stop. */
const GRACE_MS = 30_000;

/** Starts events, and what operators ask for meanwhile: to part people, to take events back. */
export function startLoad(
  { seed, mutant }: { readonly seed: number; readonly mutant?: MutantName | undefined },
  { fleet, workload }: Pick<World, 'fleet' | 'workload'>,
  releases: ReleaseStack,
): { stop(): Promise<void> } {
  const random = createSeededRandom(-seed);
  const partings = new Partings({ fleet, drawPair: () => workload.drawPair(random) });
  releases.push('partings', () => partings.stop());
  const retractions = new Retractions({ fleet, drawEvent: () => workload.drawEvent(random) });
  releases.push('retractions', () => retractions.stop());
  workload.start();
  // Under a broken rule an unmerge may never end, and the run would wait for it.
  if (mutant === undefined) partings.start();
  retractions.start();
  return {
    async stop() {
      await workload.stop(GRACE_MS);
      await partings.stop();
      await retractions.stop();
    },
  };
}
