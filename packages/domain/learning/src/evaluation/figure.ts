/** An estimate of a policy's mean reward, and what it rests on. */
export interface Figure {
  readonly estimate: number;
  readonly standardError: number;
  /** Interval of the asked confidence, by the normal distribution. */
  readonly low: number;
  readonly high: number;
  /** (sum w)^2 / sum w^2 (Kish 1965): as many equally weighted rows are worth as much. */
  readonly effectiveSampleSize: number;
  readonly largestWeight: number;
}

/** The mean of one value a row, its error from the variance between rows. */
export function toFigure(
  values: Float64Array,
  { weights, z }: { readonly weights: Float64Array; readonly z: number },
): Figure {
  const { mean, variance } = toMoments(values);
  const standardError = Math.sqrt(variance / values.length);
  return {
    estimate: mean,
    standardError,
    low: mean - z * standardError,
    high: mean + z * standardError,
    effectiveSampleSize: toEffectiveSampleSize(weights),
    largestWeight: weights.reduce((largest, weight) => Math.max(largest, weight), 0),
  };
}

/** Mean, and variance with n - 1. */
export function toMoments(values: Float64Array): { readonly mean: number; readonly variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

function toEffectiveSampleSize(weights: Float64Array): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const squares = weights.reduce((total, weight) => total + weight ** 2, 0);
  return squares === 0 ? 0 : sum ** 2 / squares;
}
