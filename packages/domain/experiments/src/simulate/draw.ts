// Under Jest each use of a global is looked up through its sandbox, which would be most of a simulation's time.
const { cos, exp, log, log1p, sqrt, PI } = Math;

/** A standard normal number (Box & Muller 1958); its other half is dropped. */
export function drawNormal(random: () => number): number {
  return sqrt(-2 * log(1 - random())) * cos(2 * PI * random());
}

/** Draws the number of successes in `trials` (thousands at most, else the first probabilities underflow): one uniform number each, by inversion. */
export function createSuccessDraw(random: () => number, trials: number, probability: number): () => number {
  const cumulative = new Float64Array(trials + 1);
  let mass = exp(trials * log1p(-probability));
  let sum = mass;
  for (let successes = 0; successes <= trials; successes += 1) {
    cumulative[successes] = sum;
    mass *= ((trials - successes) / (successes + 1)) * (probability / (1 - probability));
    sum += mass;
  }
  return () => {
    const at = random();
    let low = 0;
    let high = trials;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((cumulative[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    return low;
  };
}
