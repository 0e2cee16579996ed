/** How sure the test is before it looks that a mismatch is small: as a thousand persons would make it. */
const CONCENTRATION = 1_000;
/** An alarm is a defect to search for, and stops a report: so it is rarer than a significant effect. */
export const RATIO_ALPHA = 0.01;

/** Far from where a number under- or overflows, whatever one more person multiplies it with. */
const PRODUCT_MAX = 1e100;

export interface RatioState {
  readonly counts: readonly number[];
  /** The least p of any moment until now: valid however often it is looked at. */
  readonly pValue: number;
  readonly isMismatch: boolean;
}

/**
 * The sample-ratio-mismatch alarm: do the arms get the persons that their weights say? A Dirichlet-multinomial test
 * martingale, centred at the weights (Lindon & Malek, "Anytime-valid inference for multinomial count data", 2022, section 3): its
 * chance to ever exceed 1/alpha is alpha at most when the weights are true. `add(arm)` takes one person by the arm's index, in order of exposure.
 */
export function createRatioTest(weights: readonly number[], alpha = RATIO_ALPHA) {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = Float64Array.from(weights, (weight) => weight / total);
  const counts = new Float64Array(weights.length);
  let persons = 0;
  // As a logarithm and a product, since a logarithm for each person would be most of the time.
  let logFactor = 0;
  let product = 1;
  let productMax = 1;
  let logFactorMax = 0;
  const keepMax = (): void => {
    logFactorMax = Math.max(logFactorMax, logFactor + Math.log(productMax));
    logFactor += Math.log(product);
    product = 1;
    productMax = Number.MIN_VALUE;
  };
  return {
    add(arm: number): void {
      const share = shares[arm] as number;
      const predicted = (CONCENTRATION * share + (counts[arm] as number)) / (CONCENTRATION + persons);
      product *= predicted / share;
      if (product > productMax) productMax = product;
      if (product > PRODUCT_MAX || product < 1 / PRODUCT_MAX) keepMax();
      counts[arm] = (counts[arm] as number) + 1;
      persons += 1;
    },
    state(): RatioState {
      keepMax();
      const pValue = Math.exp(-logFactorMax);
      return { counts: [...counts], pValue, isMismatch: pValue <= alpha };
    },
  };
}
