import type { Condition, Value } from '@perennial/expressions';
import type { Measure, Population } from './population/population.js';
import { toRankBound } from './population/sketch.js';
import type { Segment } from './segment.js';

/** A tag for the profiles with the highest values of a feature. */
export interface Rank {
  readonly name: string;
  readonly owner: string;
  readonly description: string;
  readonly feature: string;
  readonly slot: number;
  /** So many, or that share of those with a value. */
  readonly top: { readonly count: number } | { readonly share: number };
}

export function toRankMeasure({ name, slot }: Rank): Measure {
  return { name, read: (values) => toNumber(values[slot]) };
}

/** Values above it are in; everyone with a value below infinity is where there are no more than that. Undefined while nothing is known. */
export function toRankThreshold({ name, top }: Rank, population: Population | undefined): number | undefined {
  const sketch = population?.get(name);
  if (sketch === undefined || sketch.count === 0) return undefined;
  const count = 'count' in top ? top.count : Math.floor(sketch.count * top.share);
  return toRankBound(sketch, count) ?? Number.NEGATIVE_INFINITY;
}

/** The tag; without a threshold nobody enters or leaves it. */
export function toRankSegment(rank: Rank, threshold: number | undefined): Segment {
  const { name, owner, description, feature, slot, top } = rank;
  const size = 'count' in top ? `${top.count}` : `${top.share * 100} %`;
  const when: Condition = {
    source: `features.${feature} is among the top ${size}`,
    reads: [`features.${feature}`],
    literals: undefined,
    test: (values) => threshold !== undefined && (toNumber(values[slot]) ?? Number.NaN) > threshold,
  };
  return {
    ...{ name, kind: 'rank', owner, description, when, sequence: undefined, leave: undefined },
    ...{ minStayMs: 0, maxStayMs: undefined, isSuspended: threshold === undefined },
  };
}

function toNumber(value: Value): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
