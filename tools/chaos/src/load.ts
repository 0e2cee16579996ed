import { createSeededRandom, type ReleaseStack } from '@perennial/kernel';
import { DecidedActions } from './decided-actions.js';
import type { MutantName } from './mutants.js';
import { Partings } from './partings.js';
import { Retractions } from './retractions.js';
import type { World } from './world.js';

/** How long the workload may take to have everything acknowledged once it is asked to stop. */
const GRACE_MS = 30_000;

/** Starts events and reports of other systems, and what operators ask for meanwhile: to part people, to take events back. */
export function startLoad(
  { seed, mutant }: { readonly seed: number; readonly mutant?: MutantName | undefined },
  { fleet, workload, log, namespace }: Pick<World, 'fleet' | 'workload' | 'log' | 'namespace'>,
  releases: ReleaseStack,
): { stop(): Promise<void> } {
  const random = createSeededRandom(-seed);
  const partings = new Partings({ fleet, drawPair: () => workload.drawPair(random) });
  releases.push('partings', () => partings.stop());
  const retractions = new Retractions({ fleet, drawEvent: () => workload.drawEvent(random) });
  releases.push('retractions', () => retractions.stop());
  const decided = new DecidedActions({ log, namespace, onDecided: (action) => workload.noteAction(action) });
  releases.push('decided actions', () => decided.stop());
  workload.start();
  decided.start();
  // Under a broken rule an unmerge may never end, and the run would wait for it.
  if (mutant === undefined) partings.start();
  retractions.start();
  return {
    async stop() {
      await decided.stop();
      await workload.stop(GRACE_MS);
      await partings.stop();
      await retractions.stop();
    },
  };
}
