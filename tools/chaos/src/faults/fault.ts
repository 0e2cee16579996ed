import type { World } from '../world.js';

/** Draws that a fault makes; all from the run's seed. */
export interface Draw {
  /** A whole number, both ends included. */
  between(min: number, max: number): number;
  pick<T>(list: readonly T[]): T;
}

/** One fault of the platform. `run` injects it, holds it, and heals it. */
export interface Fault {
  readonly name: string;
  /** Row of the table in docs/RELIABILITY.md. */
  readonly row: number;
  /** At most one of a lane is under way at a time; those of two lanes overlap. */
  readonly lane: 'services' | 'infrastructure';
  /** Takes so long that it is drawn only in runs of this length; by its name in any. */
  readonly runSecondsMin?: number;
  /** What was done, in a few words, such as `scoring-2, 900 ms`. */
  run(world: World, draw: Draw): Promise<string>;
}

export function createDraw(random: () => number): Draw {
  return {
    between: (min, max) => min + Math.floor(random() * (max - min + 1)),
    pick: (list) => {
      const chosen = list[Math.floor(random() * list.length)];
      if (chosen === undefined) throw new Error('nothing to pick from');
      return chosen;
    },
  };
}
