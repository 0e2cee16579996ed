/** What Switch-DR needs of the rows, by row. */
export interface SwitchInput {
  readonly weights: Float64Array;
  /** Reward - predicted reward of the logged option. */
  readonly residuals: Float64Array;
  /** Reward that the model expects under the target policy. */
  readonly expected: Float64Array;
  /** Highest - lowest reward: no prediction errs by more. */
  readonly rewardRange: number;
}

/** Switch-DR's values, weights above the threshold left to the reward model (Wang, Agarwal, Dudik 2017); doubly robust at Infinity. */
export function toSwitchValues({ weights, residuals, expected }: SwitchInput, threshold: number): Float64Array {
  return expected.map((value, row) => {
    const weight = weights[row] as number;
    return weight <= threshold ? value + weight * (residuals[row] as number) : value;
  });
}

/** Share of the target policy's draws with larger weights (estimated: their sum by rows), times the largest error of a prediction. */
export function toBiasAtMost({ weights, rewardRange }: SwitchInput, threshold: number): number {
  const share = weights.reduce((sum, weight) => sum + (weight > threshold ? weight : 0), 0) / weights.length;
  return rewardRange * Math.min(1, share);
}

/**
 * The square root of the number of rows (Ionides 2008): the bias vanishes as the log grows. Wang et al. choose by the policy's
 * share above the threshold, for which a log would need the propensities of what was not drawn: by the drawn alone, the bound of
 * squared bias is never below the variance that it would save.
 */
export function toThreshold(rows: number): number {
  return Math.sqrt(rows);
}
