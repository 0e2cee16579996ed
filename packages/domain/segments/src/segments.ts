import type { VariableSet } from '@perennial/expressions';
import type { ClusterSet } from './cluster.js';
import type { CohortSet } from './cohort.js';
import type { Grid } from './grid.js';
import type { Rank } from './rank.js';
import type { Segment } from './segment.js';

/** A set of segments: named groups of profiles, each with a rule that says who belongs to it. */
export interface Segments {
  readonly name: string;
  /** In the order of the file. */
  readonly segments: ReadonlyMap<string, Segment>;
  /** Names in the order of evaluation, where conditions read other segments: those that are read come first. */
  readonly order?: readonly string[] | undefined;
  readonly variables: VariableSet;
  /** Those among `segments` whose thresholds follow from the population (`withPopulation`). */
  readonly grids: readonly Grid[];
  readonly ranks: readonly Rank[];
  /** Sets whose segments a profile is assigned to, one of each. */
  readonly clusters: readonly ClusterSet[];
  readonly cohorts: readonly CohortSet[];
  /** Maximum time between two evaluations of a profile: for conditions that change with time alone. */
  readonly recheckMs: number;
}
