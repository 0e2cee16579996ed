import { toProfileValues } from '@perennial/expressions';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { listMeasures, type Population, PopulationBuilder, type Segments } from '@perennial/segments';
import type { ScoringState } from '../domain/state.js';

/** States of one partition, in chunks; one that is written meanwhile may be read twice. */
export type ReadPartitionStates = (partition: number) => AsyncIterable<readonly ScoringState[]>;

/** The population of one partition at a time, ms: vectors are moved to it, so that all have one "now". */
export async function measurePartition(
  segments: Segments,
  states: AsyncIterable<readonly ScoringState[]>,
  { specs, features, atMs }: { specs: FeatureSpecs; features: Parameters<FeatureSpecs['inForce']>[0]; atMs: number },
): Promise<Population> {
  const spec = specs.inForce(features);
  const builder = new PopulationBuilder(listMeasures(segments));
  for await (const chunk of states) {
    for (const state of chunk) {
      const features = specs.toValues(state, spec, Math.max(atMs, state.asOfMs));
      builder.add(toProfileValues({ features }, segments.variables));
    }
  }
  return builder.build();
}

/** The populations of all partitions together. */
export function sumPopulations(segments: Segments, parts: readonly Population[]): Population {
  const builder = new PopulationBuilder(listMeasures(segments));
  for (const part of parts) builder.addAll(part);
  return builder.build();
}
