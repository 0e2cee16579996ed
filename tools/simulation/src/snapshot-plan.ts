import type { SnapshotLimits } from '@perennial/keyed-processor';
import type { Draw } from './draw.js';

/**
 * Hazards for the snapshots and the log below them. Not both in one world: where the log reaches back only to the
 * newest snapshot, damage of that snapshot is fatal.
 */
export type SnapshotHazard = 'damage' | 'trim' | 'none';

export interface SnapshotPlan {
  readonly limits: Partial<SnapshotLimits>;
  readonly hazard: SnapshotHazard;
}

const OFF_CHANCE = 0.15;
/** Clocks of processes differ by up to two days; a snapshot in progress must not be mistaken for remains. */
const UNFINISHED_AGE_MS = 3 * 86_400_000;

/** Undefined where they are off: then the log is complete, and an emptied store is rebuilt from it. */
export function drawSnapshotPlan(draw: Draw): SnapshotPlan | undefined {
  if (draw.chance(OFF_CHANCE)) return undefined;
  const hazard = draw.pick(['damage', 'trim', 'none'] as const);
  return {
    hazard,
    limits: {
      intervalMs: draw.pick([50, 300, 1000, 2500]),
      incrementsMax: draw.whole({ from: 0, to: 3 }),
      lineagesKept: draw.whole({ from: hazard === 'damage' ? 2 : 1, to: 3 }),
      unfinishedAgeMsMax: UNFINISHED_AGE_MS,
      changedKeysMax: draw.pick([1, 3, 100]),
      chunkProfilesMax: draw.whole({ from: 1, to: 3 }),
      chunkBytes: draw.pick([1, 300, 10_000]),
      timeShareMax: draw.pick([0.2, 0.2, 1]),
      fixedPointAttemptsMax: 10,
      fixedPointWaitMs: draw.pick([20, 500]),
      blobAttemptsMax: draw.whole({ from: 1, to: 4 }),
      retryInitialMs: 20,
      retryMaxMs: 200,
      chunksAheadMax: draw.whole({ from: 1, to: 3 }),
      progressIntervalMs: 500,
    },
  };
}
