import { createSeededRandom, must } from '@perennial/kernel';

const FNV_PRIME = 0x01000193;

/** The source of all randomness of a simulated world. */
export class Draw {
  /** Uniform in [0, 1). */
  readonly fraction: () => number;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
    this.fraction = createSeededRandom(seed);
  }

  /** An independent stream with a name: an additional draw in one part of the world changes nothing in the others. */
  fork(name: string): Draw {
    let mixed = this.#seed >>> 0;
    for (const character of name) mixed = Math.imul(mixed ^ character.charCodeAt(0), FNV_PRIME) >>> 0;
    return new Draw(mixed);
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** A whole number, both ends included. */
  whole({ from, to }: { from: number; to: number }): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  pick<T>(list: readonly T[]): T {
    return must(list[Math.floor(this.fraction() * list.length)], 'something to pick from');
  }

  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.whole({ from: 0, to: i });
      [shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T];
    }
    return shuffled;
  }
}
