import { type FeatureDefinition, isLocal, listFilters } from './definition.js';
import type { FeatureEvent } from './event.js';
import type { FeatureReader } from './feature-reader.js';
import { leavesOut } from './outlying.js';
import { listReaches, type Reach } from './reach.js';
import type { SlotPlanner } from './slot-planner.js';
import { toFilterPredicate } from './streams.js';

/** What a feature is computed from. */
export interface FeatureSource {
  readonly name: string;
  readonly slots: readonly number[];
  /** Its windows; none for the whole life. */
  readonly reaches: readonly Reach[];
  /** Names of the features that a ratio divides. */
  readonly sides: readonly string[];
  /** Whether the feature counts such an event in one currency alone: of one whose currency nobody knows it may have counted it. */
  readonly asksForCurrency: (event: FeatureEvent) => boolean;
  /** Whether the feature counts such an event at the clocks of its zone. */
  readonly asksForZone: (event: FeatureEvent) => boolean;
  /** Whether the feature would leave out such an event if its amount was an outlier. */
  readonly asksForOutliers: (event: FeatureEvent) => boolean;
}

/** The sources of each feature, in order. */
export function listSources(
  definitions: readonly FeatureDefinition[],
  { readers, planner }: { readonly readers: readonly FeatureReader[]; readonly planner: SlotPlanner },
): readonly FeatureSource[] {
  return definitions.map((definition, index) => {
    const { name, aggregation } = definition;
    const reaches = listReaches(definition);
    const asks = {
      asksForCurrency: toAsksForCurrency(definition),
      asksForZone: toAsksForZone(definition),
      asksForOutliers: leavesOut(definition) ? toFilterPredicate(definition.event) : () => false,
    };
    if (aggregation === 'ratio') {
      const sides = [definition.numerator, definition.denominator];
      return { name, slots: [], reaches, sides, ...asks };
    }
    const own = readers[index]?.place.slot ?? -1;
    const slots = aggregation === 'gap_mean' ? [own, planner.findTimes(definition).first.slot] : [own];
    return { name, slots, reaches, sides: [], ...asks };
  });
}

function toAsksForCurrency(definition: FeatureDefinition): FeatureSource['asksForCurrency'] {
  const asking = listFilters(definition).filter(({ currency }) => currency !== undefined);
  const passing = asking.map((filter) => toFilterPredicate({ ...filter, currency: undefined }));
  return (event) => passing.some((passes) => passes(event));
}

function toAsksForZone(definition: FeatureDefinition): FeatureSource['asksForZone'] {
  return isLocal(definition) ? toFilterPredicate(definition.event) : () => false;
}
