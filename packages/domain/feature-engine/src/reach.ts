import { type FeatureDefinition, isLocal } from './definition.js';
import { toNumberNeeds } from './number-needs.js';
import { DAY_MS, toFirstTile, toTileMs } from './time.js';

/** How far a window reaches back, and in which tiles. */
export interface Reach {
  readonly windowMs: number;
  readonly tileMs: number;
}

/** Steps that a decaying sum reaches back, in tiles of an eighth of the half-life: see `accumulators/decays.ts`. */
const DECAY = { steps: 127, perHalfLife: 8 };

/** The windows that a feature looks at; none if it looks at the whole life. */
export function listReaches(definition: FeatureDefinition): readonly Reach[] {
  const reaches = toNumberNeeds(definition).flatMap(({ window }): Reach[] => {
    if (window === undefined) return [];
    if (!('halfLifeMs' in window)) return [window];
    const tileMs = window.halfLifeMs / DECAY.perHalfLife;
    return [{ windowMs: DECAY.steps * tileMs, tileMs }];
  });
  if (reaches.length > 0 || !('windowMs' in definition) || definition.windowMs === undefined) return reaches;
  const { aggregation, windowMs } = definition;
  const isOfDays = aggregation === 'active_days' || aggregation === 'streak' || aggregation === 'longest_streak';
  // The day of a zone begins up to a day before or after that of UTC, and today's zone may be another than the event's.
  const reachMs = isOfDays && isLocal(definition) ? windowMs + 2 * DAY_MS : windowMs;
  return [{ windowMs: reachMs, tileMs: isOfDays ? DAY_MS : toTileMs(windowMs) }];
}

/** True when a time is before all of some windows, so that its event is in none of them, now and later. */
export function isBefore(reaches: readonly Reach[], timeMs: number, asOfMs: number): boolean {
  return reaches.length > 0 && reaches.every((reach) => timeMs < toFirstTile(asOfMs, reach) * reach.tileMs);
}
