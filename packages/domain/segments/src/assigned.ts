import type { Value } from '@perennial/expressions';
import { stepCluster, toClusterName } from './cluster.js';
import { findCohort } from './cohort.js';
import type { Segments } from './segments.js';

const NONE: ReadonlySet<string> = new Set();

/**
 * The clusters and cohorts that a profile is in after a step: of each set one, or none while what it needs is missing. No condition
 * decides about them alone: where one is entered, another is left.
 */
export function listAssigned(
  { clusters, cohorts }: Pick<Segments, 'clusters' | 'cohorts'>,
  inputs: { readonly nowMs: number; readonly values: readonly Value[] },
  isMember: (name: string) => boolean,
): ReadonlySet<string> {
  if (clusters.length + cohorts.length === 0) return NONE;
  const names = new Set<string>();
  for (const set of clusters) {
    const cluster = set.clusters[stepCluster(set, inputs.values, isMember) ?? -1];
    if (cluster !== undefined) names.add(toClusterName(set.name, cluster.name));
  }
  for (const set of cohorts) {
    const name = findCohort(set, inputs);
    if (name !== undefined) names.add(name);
  }
  return names;
}
