import { must } from '@perennial/kernel';
import type { Accumulator } from './accumulators/accumulator.js';
import { UNITS_PER_AMOUNT } from './amount.js';
import { toFeatureHash, toSpecHash } from './canonical.js';
import type { FeatureDefinition, FeatureSpec } from './definition.js';
import type { RepeatedOrders } from './order-memory.js';
import type { Place } from './place.js';
import { SlotPlanner } from './slot-planner.js';
import type { IdStream, NumberStream } from './streams.js';
import { DAY_MS } from './time.js';

/** How a feature's value is computed from the slots' numbers. Most are one number of one slot, read without a call. */
export interface FeatureReader {
  readonly place: Place;
  readonly divisor: number;
  /** Set when the number is not yet the value. */
  readonly finish?: (number: number, at: { readings: Readings; atMs: number }) => number | null;
}

type Readings = ReadonlyArray<readonly number[]>;

/** A compiled spec: what is read from an event, what is kept per profile, how values are computed from it. */
export interface FeaturePlan {
  readonly specHash: string;
  readonly repeatedOrders: RepeatedOrders;
  /** Hash of each definition, in the order of the vectors. */
  readonly hashes: readonly string[];
  readonly numbers: readonly NumberStream[];
  readonly ids: readonly IdStream[];
  readonly slots: readonly Accumulator[];
  readonly readers: readonly FeatureReader[];
  /** Indexes of the features that are linear in time. */
  readonly clockFeatures: readonly number[];
}

/** The accumulators that the definitions need, each once, and how every feature reads them. */
export function planFeatures({ definitions, rules: { repeatedOrders = 'once' } }: FeatureSpec): FeaturePlan {
  const hashes = definitions.map(toFeatureHash);
  const planner = new SlotPlanner();
  for (const definition of definitions) planner.need(definition);
  const { numbers, ids, slots } = planner.finish();
  return {
    specHash: toSpecHash(
      definitions.map(({ name }, index) => ({ name, hash: must(hashes[index], 'a hash') })),
      { repeatedOrders },
    ),
    repeatedOrders,
    hashes,
    numbers,
    ids,
    slots,
    readers: definitions.map((definition) => toReader(definition, planner)),
    clockFeatures: definitions.flatMap(({ aggregation }, index) =>
      aggregation === 'days_since_first' || aggregation === 'days_since_last' ? [index] : [],
    ),
  };
}

/** A feature's value at a time. */
export function readFeature(
  { place, divisor, finish }: FeatureReader,
  readings: Readings,
  atMs: number,
): number | null {
  const number = readings[place.slot]?.[place.index] ?? 0;
  return finish === undefined ? number / divisor : finish(number, { readings, atMs });
}

function toReader(definition: FeatureDefinition, planner: SlotPlanner): FeatureReader {
  switch (definition.aggregation) {
    case 'count':
    case 'distinct':
      return { place: planner.find(definition), divisor: 1 };
    case 'sum':
      return { place: planner.find(definition), divisor: UNITS_PER_AMOUNT };
    case 'days_since_first':
      return { place: planner.findTimes(definition).first, divisor: 1, finish: toDaysSince };
    case 'days_since_last':
      return { place: planner.findTimes(definition).last, divisor: 1, finish: toDaysSince };
    case 'gap_mean':
      return toGapMean(planner.findTimes(definition));
  }
}

function toDaysSince(timeMs: number, { atMs }: { atMs: number }): number | null {
  return Number.isNaN(timeMs) ? null : (atMs - timeMs) / DAY_MS;
}

/** The gaps between consecutive events add up to last - first, in whatever order they arrived. */
function toGapMean({ first, last, count }: { first: Place; last: Place; count: Place }): FeatureReader {
  return {
    place: count,
    divisor: 1,
    finish(events, { readings }) {
      if (events < 2) return null;
      const [firstMs = 0, lastMs = 0] = [readings[first.slot]?.[first.index], readings[last.slot]?.[last.index]];
      return (lastMs - firstMs) / (events - 1) / DAY_MS;
    },
  };
}
