import type { AcceptedEvent } from '@perennial/contracts';

/** Newest values of a property that a value is compared with. */
const VALUES_MAX = 32;
/** With fewer there is no history to be far from. */
const VALUES_MIN = 8;
/** Properties of a profile that are judged; of more, those last in the alphabet are dropped, so that the order of arrival does not matter. */
const SERIES_MAX = 8;
/** Iglewicz and Hoaglin (1993), "How to Detect and Handle Outliers". */
const Z_MAX = 3.5;
/** Makes the median absolute deviation of normally distributed values their standard deviation. */
const MAD_TO_DEVIATION = 1.4826;
/** A history without spread: a tenth of the median is taken for it, so that a price that rises by a third is no outlier. */
const SPREAD_MIN_SHARE = 0.1;

/** A value of a property and the time of its event, UTC ms. */
type Timed = readonly [atMs: number, value: number];

/** What a profile's events had in one property: its newest values by event time, the newest first. */
export interface ValueSeries {
  /** Name of the track event, else the type of the call. */
  readonly event: string;
  readonly property: string;
  readonly values: readonly Timed[];
  /** Values that were far from those before them when they came. */
  readonly flagged: number;
}

export interface JudgedEvent {
  /** The series after the event; the same where the plan names none of its properties. */
  readonly series: readonly ValueSeries[] | undefined;
  /** Properties that are far from their own history. */
  readonly found: ReadonlyArray<Pick<ValueSeries, 'event' | 'property'>>;
}

const NO_OUTLIERS: JudgedEvent['found'] = [];

/** Compares the properties that the source's plan names with what the profile's events had before. Pure. */
export function judgeOutliers(
  before: readonly ValueSeries[] | undefined,
  { type, name, timestampMs, plan }: Pick<AcceptedEvent, 'type' | 'name' | 'timestampMs' | 'plan'>,
  properties: unknown,
): JudgedEvent {
  if (plan === undefined || plan.outliers.length === 0) return { series: before, found: NO_OUTLIERS };
  const event = type === 'track' ? name : type;
  const found: Array<{ event: string; property: string }> = [];
  let series = before ?? [];
  for (const property of plan.outliers) {
    const value = readNumber(properties, property);
    if (value === undefined) continue;
    const known = series.find((one) => one.event === event && one.property === property);
    const isFar = known !== undefined && isOutlier(known.values, value);
    if (isFar) found.push({ event, property });
    series = mergeSeries(series, [{ event, property, values: [[timestampMs, value]], flagged: isFar ? 1 : 0 }]);
  }
  return { series: series.length === 0 ? undefined : series, found };
}

/** What two parts of one profile have: associative and commutative, as long as no more properties are judged than fit. */
export function mergeSeries(a: readonly ValueSeries[], b: readonly ValueSeries[]): readonly ValueSeries[] {
  const merged = new Map(a.map((one) => [toKey(one), one]));
  for (const one of b) {
    const known = merged.get(toKey(one));
    merged.set(toKey(one), {
      ...one,
      values: [...(known?.values ?? []), ...one.values].sort(compareTimed).slice(0, VALUES_MAX),
      flagged: (known?.flagged ?? 0) + one.flagged,
    });
  }
  const sorted = [...merged].sort(([x], [y]) => (x < y ? -1 : 1));
  return sorted.slice(0, SERIES_MAX).map(([, one]) => one);
}

/** Median and spread of values: of normally distributed ones their standard deviation. Undefined for too few values. */
export function describeValues(values: readonly Timed[]): { median: number; spread: number } | undefined {
  if (values.length < VALUES_MIN) return undefined;
  const numbers = values.map(([, value]) => value);
  const median = toMedian(numbers);
  const deviation = toMedian(numbers.map((value) => Math.abs(value - median)));
  return { median, spread: Math.max(deviation * MAD_TO_DEVIATION, Math.abs(median) * SPREAD_MIN_SHARE) };
}

/** The robust z of a value is its distance from the median in spreads. */
function isOutlier(history: readonly Timed[], value: number): boolean {
  const described = describeValues(history);
  return described !== undefined && Math.abs(value - described.median) > Z_MAX * described.spread;
}

function toMedian(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function readNumber(properties: unknown, name: string): number | undefined {
  if (typeof properties !== 'object' || properties === null || !Object.hasOwn(properties, name)) return undefined;
  const value: unknown = (properties as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'number' && Number.isFinite(value) ? value + 0 : undefined;
}

function compareTimed([atA, a]: Timed, [atB, b]: Timed): number {
  return atB - atA || b - a;
}

/** No name has a control character. */
function toKey({ event, property }: Pick<ValueSeries, 'event' | 'property'>): string {
  return `${event}\u0000${property}`;
}
