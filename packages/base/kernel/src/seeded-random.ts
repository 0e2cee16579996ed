// Under Jest each use of a global is looked up through its sandbox, which would be most of a simulation's time.
const { imul } = Math;

/**
 * Uniform numbers in [0, 1) from a seed (mulberry32): the same on every machine. For load generation, simulations and
 * tests.
 */
export function createSeededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
