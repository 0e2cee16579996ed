/** What of an arm's values a comparison needs. */
export interface Sample {
  readonly persons: number;
  readonly mean: number;
  /** With n - 1; 0 for fewer than two persons. */
  readonly variance: number;
  /** Persons whose value is not 0. */
  readonly nonZero: number;
}

/** Running moments of one arm: of a person's value, and of the same before the experiment, which it cannot have changed. */
export interface Moments {
  add(value: number, before: number): void;
  /** Of values. */
  values(): Sample;
  /** Of what was before. */
  before(): Sample;
  /** Sum of products around both means. */
  covariance(): number;
}

/** Welford's update, stable for many persons and large amounts. */
export function createMoments(): Moments {
  let persons = 0;
  const means = new Float64Array(2);
  const squares = new Float64Array(2);
  const nonZero = new Float64Array(2);
  let products = 0;
  const update = (at: 0 | 1, value: number): number => {
    const distance = value - (means[at] as number);
    means[at] = (means[at] as number) + distance / persons;
    squares[at] = (squares[at] as number) + distance * (value - (means[at] as number));
    if (value !== 0) nonZero[at] = (nonZero[at] as number) + 1;
    return distance;
  };
  const toSample = (at: 0 | 1): Sample => ({
    persons,
    mean: means[at] as number,
    variance: persons < 2 ? 0 : (squares[at] as number) / (persons - 1),
    nonZero: nonZero[at] as number,
  });
  return {
    add(value, before) {
      persons += 1;
      const distance = update(0, value);
      update(1, before);
      products += distance * (before - (means[1] as number));
    },
    values: () => toSample(0),
    before: () => toSample(1),
    covariance: () => products,
  };
}

/**
 * Where values are cut off: the quantile of those above 0, of all arms together, so that it knows nothing of the arms.
 * A few customers of extreme value would else decide a comparison. Infinity where nobody is above 0.
 */
export function toWinsorLimit(values: Iterable<number>, quantile: number): number {
  const sorted = Float64Array.from([...values].filter((value) => value > 0)).sort();
  const index = Math.ceil(quantile * sorted.length) - 1;
  return sorted[Math.max(0, index)] ?? Number.POSITIVE_INFINITY;
}

export interface Adjusted {
  /** In the order of the arms; `nonZero` is that of the values before adjustment. */
  readonly samples: readonly Sample[];
  /** How much of a value a unit of what was before explains. */
  readonly theta: number;
  /** Share of the variance within arms that is gone, r^2. */
  readonly varianceReduction: number;
}

/**
 * CUPED (Deng, Xu, Kohavi, Walker 2013): subtracts from each value what the time before explains of it,
 * theta * (before - mean of before over all arms), theta = cov / var within arms. The difference of means stays the same on average;
 * its variance shrinks by the factor 1 - r^2.
 */
export function adjustByBefore(arms: readonly Moments[]): Adjusted {
  const covariance = total(arms, (arm) => arm.covariance());
  const ofBefore = total(arms, (arm) => toSquares(arm.before()));
  const ofValues = total(arms, (arm) => toSquares(arm.values()));
  const theta = ofBefore === 0 ? 0 : covariance / ofBefore;
  const persons = total(arms, (arm) => arm.values().persons);
  const meanBefore = total(arms, (arm) => arm.before().mean * arm.before().persons) / Math.max(1, persons);
  const samples = arms.map((arm) => {
    const [values, before] = [arm.values(), arm.before()];
    const degrees = Math.max(1, values.persons - 1);
    const variance = values.variance - (2 * theta * arm.covariance()) / degrees + theta ** 2 * before.variance;
    return { ...values, mean: values.mean - theta * (before.mean - meanBefore), variance: Math.max(0, variance) };
  });
  const varianceReduction = ofBefore === 0 || ofValues === 0 ? 0 : covariance ** 2 / (ofBefore * ofValues);
  return { samples, theta, varianceReduction };
}

function toSquares({ variance, persons }: Sample): number {
  return variance * Math.max(0, persons - 1);
}

function total<T>(items: readonly T[], toNumber: (item: T) => number): number {
  return items.reduce((sum, item) => sum + toNumber(item), 0);
}
