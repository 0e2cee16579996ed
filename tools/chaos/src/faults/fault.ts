import type { World } from '../world.js';

/** Random draws of a fault; all come from the run's seed. */
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
  /** At most one fault of a lane is active at a time; faults of two lanes overlap. */
  readonly lane: 'services' | 'infrastructure';
  /** Minimum length of a run in which this long fault is drawn; by its name it can be run in any. */
  readonly runSecondsMin?: number;
  /** A short description of what was done, such as `scoring-2, 900 ms`. */
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
