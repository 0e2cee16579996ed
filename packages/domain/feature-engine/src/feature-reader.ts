import { must } from '@perennial/kernel';
import { TOP_NUMBERS } from './accumulators/tops.js';
import { UNITS_PER_AMOUNT } from './amount.js';
import type { FeatureDefinition, RatioDefinition, TopsDefinition } from './definition.js';
import { toDeviation } from './deviation.js';
import type { Place } from './place.js';
import { toRatio } from './ratios.js';
import type { SlotPlanner } from './slot-planner.js';
import { joinLimbs } from './square-limbs.js';
import { DAY_MS, SECOND_MS } from './time.js';

/** How a feature's value is computed from the slots' numbers. Most are one number of one slot, read without a call. */
export interface FeatureReader {
  readonly place: Place;
  readonly divisor: number;
  /** Set when the number is not yet the value. */
  readonly finish?: (number: number, at: { readings: Readings; atMs: number }) => number | null;
}

type Readings = ReadonlyArray<readonly number[]>;

/** A ratio reads two other features, no number of its own. */
const NOWHERE: Place = { slot: -1, index: -1 };

/** One reader per definition, in order. */
export function createReaders(definitions: readonly FeatureDefinition[], planner: SlotPlanner): FeatureReader[] {
  const direct = new Map<string, FeatureReader>();
  for (const definition of definitions) {
    if (definition.aggregation !== 'ratio') direct.set(definition.name, toReader(definition, planner));
  }
  return definitions.map((definition) =>
    definition.aggregation === 'ratio'
      ? toRatioReader(definition, direct)
      : must(direct.get(definition.name), 'the reader of a feature'),
  );
}

/** A feature's value at a time. */
export function readFeature(
  { place, divisor, finish }: FeatureReader,
  readings: Readings,
  atMs: number,
): number | null {
  const number = numberAt(readings, place);
  return finish === undefined ? number / divisor : finish(number, { readings, atMs });
}

function toReader(definition: Exclude<FeatureDefinition, RatioDefinition>, planner: SlotPlanner): FeatureReader {
  const places = planner.findNumbers(definition);
  const at = (index: number) => must(places[index], 'the place of a number');
  switch (definition.aggregation) {
    case 'count':
    case 'decayed_count':
      return { place: at(0), divisor: 1 };
    case 'sum':
    case 'decayed_sum':
      return { place: at(0), divisor: UNITS_PER_AMOUNT };
    case 'mean':
      return toMean(at(0), at(1));
    case 'std':
      return toAmountDeviation(at(0), at(1), places.slice(2));
    case 'min':
    case 'max':
    case 'first':
    case 'last':
      return {
        place: planner.findRow(definition),
        divisor: 1,
        finish: toAmount,
      };
    case 'share':
    case 'amount_share':
    case 'hour_share':
    case 'weekday_share':
      return toShare(at(0), at(1));
    case 'trend':
      return toTrend(at(0), at(1));
    case 'active_days':
      return { place: planner.findDays(definition), divisor: 1 };
    case 'sessions_count':
      return { place: planner.findSessions(definition).sessions, divisor: 1 };
    case 'session_length_mean':
      return toSessionLength(planner.findSessions(definition));
    case 'streak':
    case 'longest_streak':
      return { place: planner.findStreak(definition), divisor: 1 };
    case 'distinct':
      return { place: planner.findDistinct(definition), divisor: 1 };
    case 'top_count':
    case 'top_share':
    case 'entropy':
      return toTopReader(definition, planner.findTops(definition));
    case 'days_since_first':
      return { place: planner.findTimes(definition).first, divisor: 1, finish: toDaysSince };
    case 'days_since_last':
      return { place: planner.findTimes(definition).last, divisor: 1, finish: toDaysSince };
    case 'gap_mean':
      return toGapMean(at(0), planner.findTimes(definition));
    case 'gap_std':
    case 'gap_quantile':
      return { place: planner.findGaps(definition), divisor: 1, finish: toDays };
    case 'regularity':
      return { place: planner.findGaps(definition), divisor: 1, finish: toValue };
  }
}

function numberAt(readings: Readings, { slot, index }: Place): number {
  return readings[slot]?.[index] ?? 0;
}

function toDaysSince(timeMs: number, { atMs }: { atMs: number }): number | null {
  return Number.isNaN(timeMs) ? null : (atMs - timeMs) / DAY_MS;
}

function toAmount(units: number): number | null {
  return Number.isNaN(units) ? null : units / UNITS_PER_AMOUNT;
}

function toDays(durationMs: number): number | null {
  return Number.isNaN(durationMs) ? null : durationMs / DAY_MS;
}

function toValue(number: number): number | null {
  return Number.isNaN(number) ? null : number;
}

/** The gaps between consecutive events add up to last - first, in whatever order they arrived. */
function toGapMean(count: Place, { first, last }: { first: Place; last: Place }): FeatureReader {
  return {
    place: count,
    divisor: 1,
    finish(events, { readings }) {
      if (events < 2) return null;
      return (numberAt(readings, last) - numberAt(readings, first)) / (events - 1) / DAY_MS;
    },
  };
}

function toMean(known: Place, sum: Place): FeatureReader {
  return {
    place: known,
    divisor: 1,
    finish: (count, { readings }) => (count === 0 ? null : numberAt(readings, sum) / UNITS_PER_AMOUNT / count),
  };
}

function toAmountDeviation(known: Place, sumPlace: Place, squares: readonly Place[]): FeatureReader {
  return {
    place: known,
    divisor: 1,
    finish(count, { readings }) {
      if (count === 0) return null;
      const sum = BigInt(numberAt(readings, sumPlace));
      const limbs = squares.map((place) => numberAt(readings, place));
      return toDeviation({ count, sum, squares: joinLimbs(limbs) }) / UNITS_PER_AMOUNT;
    },
  };
}

function toSessionLength({ sessions, lengthMs }: { sessions: Place; lengthMs: Place }): FeatureReader {
  return {
    place: sessions,
    divisor: 1,
    finish: (count, { readings }) => (count === 0 ? null : numberAt(readings, lengthMs) / count / SECOND_MS),
  };
}

function toTopReader(
  definition: TopsDefinition,
  { slot, window }: { readonly slot: number; readonly window: number },
): FeatureReader {
  const toPlace = (number: number) => ({ slot, index: window * TOP_NUMBERS.all + number });
  if (definition.aggregation === 'entropy') {
    return { place: toPlace(TOP_NUMBERS.entropy), divisor: 1, finish: toValue };
  }
  const place = toPlace(TOP_NUMBERS.rank + definition.rank - 1);
  return definition.aggregation === 'top_count' ? { place, divisor: 1 } : toShare(toPlace(TOP_NUMBERS.total), place);
}

function toShare(whole: Place, part: Place): FeatureReader {
  return { place: whole, divisor: 1, finish: (all, { readings }) => toRatio(numberAt(readings, part), all) };
}

/** `within - (over twice the window - within)`. */
function toTrend(within: Place, twice: Place): FeatureReader {
  return { place: within, divisor: 1, finish: (count, { readings }) => 2 * count - numberAt(readings, twice) };
}

function toRatioReader(
  { numerator, denominator }: RatioDefinition,
  readers: ReadonlyMap<string, FeatureReader>,
): FeatureReader {
  const upper = must(readers.get(numerator), 'the numerator of a ratio');
  const lower = must(readers.get(denominator), 'the denominator of a ratio');
  return {
    place: NOWHERE,
    divisor: 1,
    finish: (_number, { readings, atMs }) =>
      toRatio(readFeature(upper, readings, atMs), readFeature(lower, readings, atMs)),
  };
}
