import type { FeatureDefinition } from './definition.js';
import type { FeatureReader } from './feature-reader.js';
import { listReaches, type Reach } from './reach.js';
import type { SlotPlanner } from './slot-planner.js';

/** What a feature is computed from. */
export interface FeatureSource {
  readonly name: string;
  readonly slots: readonly number[];
  /** Its windows; none for the whole life. */
  readonly reaches: readonly Reach[];
  /** Names of the features that a ratio divides. */
  readonly sides: readonly string[];
}

/** The sources of each feature, in order. */
export function listSources(
  definitions: readonly FeatureDefinition[],
  { readers, planner }: { readonly readers: readonly FeatureReader[]; readonly planner: SlotPlanner },
): readonly FeatureSource[] {
  return definitions.map((definition, index) => {
    const { name, aggregation } = definition;
    const reaches = listReaches(definition);
    if (aggregation === 'ratio') {
      return { name, slots: [], reaches, sides: [definition.numerator, definition.denominator] };
    }
    const own = readers[index]?.place.slot ?? -1;
    const slots = aggregation === 'gap_mean' ? [own, planner.findTimes(definition).first.slot] : [own];
    return { name, slots, reaches, sides: [] };
  });
}
