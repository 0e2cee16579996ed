import { AppError } from '@perennial/kernel';

/** Bounds of distributions and of their comparison. */
export const DRIFT_LIMITS = {
  /** Bins of equal shares of the rows that have a value; fewer where values repeat. */
  bins: 10,
  /** Rows that edges and shares are taken from: each row as likely as any other. */
  rowsSampled: 10_000,
  /** In place of an empty bin's share, of which no logarithm could be taken. */
  shareMin: 1e-4,
  /** Features of a baseline. */
  featuresMax: 1_000,
  /** A stable index is below the first, a changed population above the second (Siddiqi, Credit Risk Scorecards, 2006). */
  psiModerate: 0.1,
  psiMajor: 0.25,
} as const;

/** How the values of a feature are spread. */
export interface FeatureDistribution {
  /** Ascending. Bin 0 has the values up to the first edge, bin i those above edge i - 1 and up to edge i. */
  readonly edges: readonly number[];
  /** Of each bin, one more than edges, then of rows without a value. Their sum is 1. */
  readonly shares: readonly number[];
}

/** The bin of a value; the last one for no value. */
export function toBin({ edges }: Pick<FeatureDistribution, 'edges'>, value: number | null): number {
  if (value === null || Number.isNaN(value)) return edges.length + 1;
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value > (edges[middle] ?? Number.POSITIVE_INFINITY)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The population stability index of counts by bin against expected shares: sum over bins of (a - e) ln(a / e), with both shares
 * at least `shareMin`. It is Jeffreys' divergence of the two (Yurdakul, Statistical Properties of PSI, 2018). NaN for no counts.
 */
export function toPsi({ shares }: Pick<FeatureDistribution, 'shares'>, counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return shares.reduce((sum, share, bin) => {
    const expected = Math.max(share, DRIFT_LIMITS.shareMin);
    const actual = Math.max((counts[bin] ?? 0) / total, DRIFT_LIMITS.shareMin);
    return sum + (actual - expected) * Math.log(actual / expected);
  }, 0);
}

/** Takes rows of values in any number, keeps a bounded sample of them, and tells their distributions. */
export class DistributionSample {
  readonly #names: readonly string[];
  readonly #random: () => number;
  readonly #rows: Array<ReadonlyArray<number | null>> = [];
  #seen = 0;

  constructor(names: readonly string[], random: () => number) {
    this.#names = names;
    this.#random = random;
  }

  /** A row has a value for each name, in order. */
  add(values: ReadonlyArray<number | null>): void {
    this.#seen += 1;
    const { length } = this.#rows;
    const place = length < DRIFT_LIMITS.rowsSampled ? length : Math.floor(this.#random() * this.#seen);
    if (place < DRIFT_LIMITS.rowsSampled) this.#rows[place] = [...values];
  }

  toDistributions(): Record<string, FeatureDistribution> {
    return Object.fromEntries(
      this.#names.map((name, index) => [name, toDistribution(this.#rows.map((row) => row[index] ?? null))]),
    );
  }
}

function toDistribution(values: ReadonlyArray<number | null>): FeatureDistribution {
  const sorted = values.filter((value) => value !== null && !Number.isNaN(value)).sort((a, b) => Number(a) - Number(b));
  const edges: number[] = [];
  for (let bin = 1; bin < DRIFT_LIMITS.bins; bin++) {
    const edge = sorted[Math.ceil((bin * sorted.length) / DRIFT_LIMITS.bins) - 1];
    // The highest value is no edge: above it would be an empty bin.
    if (typeof edge === 'number' && edge !== edges.at(-1) && edge !== sorted.at(-1)) edges.push(edge);
  }
  const counts = new Array<number>(edges.length + 2).fill(0);
  for (const value of values) {
    const bin = toBin({ edges }, value);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, shares: counts.map((count) => count / Math.max(1, values.length)) };
}

/** Distributions by feature, as the manifest of an export has them. Throws `config_invalid` with every problem. */
export function parseDistributions(given: unknown, what: string): Readonly<Record<string, FeatureDistribution>> {
  const problems: string[] = [];
  const entries = typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(given) : [];
  if (entries.length === 0) problems.push('it has no distributions: export again, with this release');
  if (entries.length > DRIFT_LIMITS.featuresMax)
    problems.push(`it has ${entries.length} features, at most ${DRIFT_LIMITS.featuresMax} are possible`);
  for (const [name, value] of entries) {
    const { edges, shares } = (value ?? {}) as Partial<Record<keyof FeatureDistribution, unknown>>;
    if (
      !isNumbers(edges) ||
      edges.length >= DRIFT_LIMITS.bins ||
      edges.some((edge, i) => edge <= (edges[i - 1] ?? -Infinity))
    )
      problems.push(`${name}.edges must be at most ${DRIFT_LIMITS.bins - 1} ascending numbers`);
    else if (!isNumbers(shares) || shares.length !== edges.length + 2 || shares.some((share) => share < 0 || share > 1))
      problems.push(`${name}.shares must be ${edges.length + 2} numbers from 0 to 1`);
  }
  if (problems.length > 0) throw new AppError('config_invalid', `${what}: ${problems.join('; ')}`);
  return given as Readonly<Record<string, FeatureDistribution>>;
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'number' && Number.isFinite(item));
}
