/** Every bound of an exploration. */
export const EXPLORE_LIMITS = {
  /** Memory of DuckDB, MiB; what does not fit goes to a temporary folder. */
  memoryMbDefault: 1_024,
  memoryMbMin: 128,
  memoryMbMax: 1_048_576,
  /** Bytes of that folder. */
  spillMaxGb: 50,
  threadsMax: 256,
  /** Steps of a funnel. */
  stepsMin: 2,
  stepsMax: 20,
  /** Events of a path. */
  pathLengthMin: 2,
  pathLengthMax: 20,
  /** Rows of a result that are printed. */
  rowsDefault: 20,
  rowsMax: 10_000,
  /** Items of a rule. */
  ruleItemsMin: 2,
  ruleItemsMax: 4,
  /** Items of a basket, by those of a rule: it has some 30,000 sets of them at most. Larger baskets are left out and counted. */
  basketItemsMax: [200, 60, 30],
  /** Periods of a retention curve. */
  periodsDefault: 12,
  periodsMax: 120,
  /** Longest time limit or gap, days. */
  spanDaysMax: 3_650,
  eventNameCharsMax: 1_024,
} as const;
