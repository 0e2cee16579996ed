import { must } from '@perennial/kernel';
import type { Accumulator } from './accumulators/accumulator.js';
import type { Attribute } from './attributes.js';
import { toFeatureHashes, toSpecHash } from './canonical.js';
import { listConditions, type UsedCondition } from './conditions.js';
import type { CorrectionRules } from './corrections/correction-rules.js';
import { type CountingFeatures, listCounting } from './counting.js';
import { type FeatureSpec, isOfTops } from './definition.js';
import { createReaders, type FeatureReader } from './feature-reader.js';
import type { RepeatedOrders } from './order-memory.js';
import { listLeftOut } from './outlying.js';
import { type RatioIndexes, toRatioIndexes } from './ratios.js';
import { listReaches, type Reach } from './reach.js';
import { SlotPlanner } from './slot-planner.js';
import { type FeatureSource, listSources } from './sources.js';
import type { IdStream, NumberStream } from './streams.js';
import { listMeasures, type UsedMeasure } from './unread.js';

/** A compiled spec: what is read from an event, what is kept per profile, how values are computed from it. */
export interface FeaturePlan {
  readonly specHash: string;
  readonly repeatedOrders: RepeatedOrders;
  readonly attributes: readonly Attribute[];
  /** Which orders a profile takes back by itself; undefined for none. */
  readonly corrections: CorrectionRules | undefined;
  /** Hash of each definition, in the order of the vectors. */
  readonly hashes: readonly string[];
  readonly numbers: readonly NumberStream[];
  readonly ids: readonly IdStream[];
  readonly slots: readonly Accumulator[];
  readonly readers: readonly FeatureReader[];
  /** Features that are computed from frequencies of ids: where these are. */
  readonly tops: ReadonlyArray<{ readonly name: string; readonly slot: number; readonly window: number }>;
  /** What each feature is computed from, in the order of the vectors. */
  readonly sources: readonly FeatureSource[];
  /** All windows of all features. */
  readonly reaches: readonly Reach[];
  /** Properties whose outliers features leave out; undefined where none does. */
  readonly leftOut: readonly string[] | undefined;
  /** What filters test, each once. */
  readonly conditions: readonly UsedCondition[];
  /** Features by the events that they take something of. */
  readonly counting: readonly CountingFeatures[];
  /** What features read of properties, each once. */
  readonly measures: readonly UsedMeasure[];
  /** Indexes of the features that are linear in time. */
  readonly clockFeatures: readonly number[];
  /** Ratios of which a side is linear in time: indexes of the ratio and of its sides. */
  readonly clockRatios: readonly RatioIndexes[];
}

/** The accumulators that the definitions need, each once, and how every feature reads them. */
export function planFeatures({
  definitions,
  rules: { repeatedOrders = 'once', attributes = [], corrections },
}: FeatureSpec): FeaturePlan {
  const hashes = toFeatureHashes(definitions);
  const clockFeatures = definitions.flatMap(({ aggregation }, index) =>
    aggregation === 'days_since_first' || aggregation === 'days_since_last' ? [index] : [],
  );
  const planner = new SlotPlanner();
  for (const definition of definitions) planner.need(definition);
  const { numbers, ids, slots } = planner.finish();
  const conditions = listConditions(definitions);
  const readers = createReaders(definitions, planner);
  return {
    specHash: toSpecHash(
      definitions.map(({ name }, index) => ({ name, hash: must(hashes[index], 'a hash') })),
      { repeatedOrders, attributes, corrections },
    ),
    repeatedOrders,
    attributes,
    corrections,
    hashes,
    numbers,
    ids,
    slots,
    readers,
    sources: listSources(definitions, { readers, planner }),
    tops: definitions.flatMap((definition) =>
      isOfTops(definition) ? [{ name: definition.name, ...planner.findTops(definition) }] : [],
    ),
    reaches: [
      ...new Map(definitions.flatMap(listReaches).map((one) => [`${one.windowMs}/${one.tileMs}`, one])).values(),
    ],
    leftOut: listLeftOut(definitions),
    conditions,
    counting: listCounting(definitions, conditions),
    measures: listMeasures(definitions),
    clockFeatures,
    clockRatios: toRatioIndexes(definitions).filter(
      ({ numerator, denominator }) => clockFeatures.includes(numerator) || clockFeatures.includes(denominator),
    ),
  };
}
