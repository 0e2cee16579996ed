/** Distribution function of the standard normal, to 1e-15: series and continued fraction (Abramowitz & Stegun 26.2.11, 26.2.14). */
export function toNormalProbability(z: number): number {
  const x = Math.abs(z);
  if (x > 38) return z > 0 ? 1 : 0;
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const upper = x < 3 ? 0.5 - density * toSeries(x) : density / toFraction(x);
  return z > 0 ? 1 - upper : upper;
}

function toSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 3; term > 1e-17 * sum; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return sum;
}

function toFraction(x: number): number {
  let fraction = x;
  for (let k = 120; k > 0; k -= 1) fraction = x + k / fraction;
  return fraction;
}

/** Inverse of `toNormalProbability` for p in (0, 1), by bisection. */
export function toNormalQuantile(p: number): number {
  let low = -38;
  let high = 38;
  for (let step = 0; step < 80; step += 1) {
    const middle = (low + high) / 2;
    if (toNormalProbability(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Logarithm of the beta function. */
export function toLogBeta(a: number, b: number): number {
  return toLogGamma(a) + toLogGamma(b) - toLogGamma(a + b);
}

/** Stirling's series after raising the argument to 10; relative error below 1e-13. */
function toLogGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at += 1) shift -= Math.log(at);
  const inverse = 1 / (at * at);
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1_260 - inverse / 1_680))) / at;
  return shift + (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series;
}
