import type { Condition, Value } from '@perennial/expressions';
import type { Segment } from './segment.js';

/** Periods of a set: each is a segment, and a bit of each score. */
export const COHORTS_MAX = 60;
export const COHORTS_DEFAULT = 24;

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;
/** A Monday: weeks begin there, as those of `explore cohorts` do. */
const MONDAY_MS = Date.UTC(1970, 0, 5);

/** Segments by the calendar month or week (UTC) in which a profile did something first. */
export interface CohortSet {
  readonly name: string;
  readonly owner: string;
  readonly by: 'month' | 'week';
  /** A feature that has the days since it did that first. */
  readonly since: string;
  /** Where its value stands. */
  readonly slot: number;
  /** Where each period begins, ms, ascending, and where the last one ends: one more than there are periods. */
  readonly bounds: readonly number[];
  /** Of the segments: one more than there are bounds. */
  readonly names: readonly string[];
}

interface Period {
  readonly by: CohortSet['by'];
  /** `2026-03`, or the Monday `2026-03-02`. */
  readonly from: string;
  readonly count: number;
}

/** Where periods begin, and where the last one ends; undefined for a `from` that is no month, or no Monday. */
export function toCohortBounds({ by, from, count }: Period): readonly number[] | undefined {
  const beginMs = Date.parse(by === 'month' ? `${from}-01T00:00:00Z` : `${from}T00:00:00Z`);
  const isWhole = by === 'month' ? /^\d{4}-\d{2}$/.test(from) : (beginMs - MONDAY_MS) % WEEK_MS === 0;
  // A date such as 2026-02-30 is read as one in March.
  if (Number.isNaN(beginMs) || !isWhole || !new Date(beginMs).toISOString().startsWith(from)) return undefined;
  const begin = new Date(beginMs);
  return Array.from({ length: count + 1 }, (_, index) =>
    by === 'month' ? Date.UTC(begin.getUTCFullYear(), begin.getUTCMonth() + index) : beginMs + index * WEEK_MS,
  );
}

/** Names of the cohorts as segments, in the order of time: `joined_earlier`, `joined_2026_03` ..., `joined_later`. */
export function listCohortNames(set: string, by: CohortSet['by'], bounds: readonly number[]): string[] {
  const periods = bounds.slice(0, -1).map((ms) => toPeriodText(by, ms).replaceAll('-', '_'));
  return ['earlier', ...periods, 'later'].map((period) => `${set}_${period}`);
}

/** Name of the cohort of a profile at a time; undefined for one that has not done it. */
export function findCohort(
  { slot, bounds, names }: CohortSet,
  { nowMs, values }: { readonly nowMs: number; readonly values: readonly Value[] },
): string | undefined {
  const days = values[slot];
  if (typeof days !== 'number' || !Number.isFinite(days)) return undefined;
  // The feature is a quotient of whole milliseconds: rounded, the product is the time to the millisecond.
  const firstMs = Math.round(nowMs - days * DAY_MS);
  return names[bounds.filter((bound) => firstMs >= bound).length];
}

/** The cohorts as segments; `findCohort` says who is in them. */
export function toCohortSegments({ names, owner, by, since, bounds }: CohortSet): Segment[] {
  const [first = 0] = bounds;
  const end = bounds.at(-1) ?? 0;
  return names.map((segment, number): Segment => {
    const description =
      number === 0
        ? `Began before ${toPeriodText('week', first)}`
        : number === bounds.length
          ? `Began on ${toPeriodText('week', end)} or later`
          : `Began in the ${by} ${by === 'month' ? '' : 'from '}${toPeriodText(by, bounds[number - 1] ?? 0)}`;
    const when: Condition = {
      source: `features.${since} places the first one there`,
      reads: [`features.${since}`],
      literals: undefined,
      // Its time is not among the values; membership follows from `findCohort`.
      test: () => false,
    };
    return {
      ...{ name: segment, kind: 'cohort', owner, description, when, sequence: undefined, leave: undefined },
      ...{ minStayMs: 0, maxStayMs: undefined, isAssigned: true, isSuspended: false },
    };
  });
}

/** `2026-03` or `2026-03-02`. */
function toPeriodText(by: CohortSet['by'], ms: number): string {
  return new Date(ms).toISOString().slice(0, by === 'month' ? 7 : 10);
}
