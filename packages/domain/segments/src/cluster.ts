import type { Condition, Value } from '@perennial/expressions';
import type { Segment } from './segment.js';

/** A feature of a cluster set, and how its values are made comparable: `(value - median) / scale`, within the clip. */
export interface ClusterFeature {
  readonly feature: string;
  readonly median: number;
  /** More than 0. */
  readonly scale: number;
  /** What a missing value counts as; without it a profile that has none is in no cluster. */
  readonly missing: number | undefined;
}

/** One cluster: a name, and where its centre lies in standardised values, in the order of the features. */
interface Cluster {
  readonly name: string;
  readonly description: string;
  readonly centre: readonly number[];
}

/** Clusters that were trained together: a profile is in the one whose centre is nearest. */
export interface ClusterModel {
  readonly features: readonly ClusterFeature[];
  readonly clusters: readonly Cluster[];
  /** Standardised values beyond it count as it, on both sides: an outlier has no cluster to itself. */
  readonly clip: number;
}

/** A model in a file of segments. */
export interface ClusterSet extends ClusterModel {
  readonly name: string;
  readonly owner: string;
  /** A member moves only where another centre is nearer by more than this share of the distance to its own; 0 for at once. */
  readonly margin: number;
  /** Where the values of the features stand. */
  readonly slots: readonly number[];
}

/** Names of the clusters as segments. */
export function toClusterName(set: string, cluster: string): string {
  return `${set}_${cluster}`;
}

/**
 * Standardised values of a profile from those of the features, in their order; undefined where one is missing that must be there.
 * Only operations that IEEE 754 defines to the bit, so that training and service agree on every machine.
 */
export function toPoint({ features, clip }: ClusterModel, values: readonly Value[]): number[] | undefined {
  const point: number[] = [];
  for (const [index, { median, scale, missing }] of features.entries()) {
    const found = values[index];
    const value = typeof found === 'number' && !Number.isNaN(found) ? found : missing;
    if (value === undefined) return undefined;
    point.push(Math.min(clip, Math.max(-clip, (value - median) / scale)));
  }
  return point;
}

/** Squared Euclidean distance, added up in the order of the features. */
export function toSquaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < a.length; index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    sum += difference * difference;
  }
  return sum;
}

/** Index of the nearest centre, of equally near ones the first, and its squared distance. */
export function findNearestCentre(
  centres: ReadonlyArray<ArrayLike<number>>,
  point: ArrayLike<number>,
): { readonly index: number; readonly squared: number } {
  let nearest = { index: -1, squared: Number.POSITIVE_INFINITY };
  for (const [index, centre] of centres.entries()) {
    const squared = toSquaredDistance(point, centre);
    if (squared < nearest.squared) nearest = { index, squared };
  }
  return nearest;
}

/** Index of the cluster of a profile that is in none yet; undefined for one with a value missing. */
export function assignCluster(model: ClusterModel, values: readonly Value[]): number | undefined {
  const point = toPoint(model, values);
  return point && findNearestCentre(toCentres(model), point).index;
}

/** Index of the cluster after a step: the nearest, or the one that it is in while no other is nearer by the margin. */
export function stepCluster(
  set: ClusterSet,
  values: readonly Value[],
  isMember: (name: string) => boolean,
): number | undefined {
  const point = toPoint(set, toFeatureValues(set, values));
  if (point === undefined) return undefined;
  const nearest = findNearestCentre(toCentres(set), point);
  if (set.margin === 0) return nearest.index;
  const own = set.clusters.findIndex(({ name }) => isMember(toClusterName(set.name, name)));
  const cluster = set.clusters[own];
  if (cluster === undefined || own === nearest.index) return nearest.index;
  const bound = (1 - set.margin) ** 2 * toSquaredDistance(point, cluster.centre);
  return nearest.squared < bound ? nearest.index : own;
}

/** The clusters as segments; `stepCluster` says who is in them. */
export function toClusterSegments(set: ClusterSet): Segment[] {
  const reads = set.features.map(({ feature }) => `features.${feature}`);
  return set.clusters.map(({ name, description }, number): Segment => {
    const when: Condition = {
      source: `the centre "${name}" of the clusters ${set.name} is the nearest`,
      reads,
      literals: undefined,
      test: (values) => assignCluster(set, toFeatureValues(set, values)) === number,
    };
    return {
      ...{ name: toClusterName(set.name, name), kind: 'cluster', owner: set.owner, description, when },
      ...{ sequence: undefined, leave: undefined, minStayMs: 0, maxStayMs: undefined },
      ...{ isAssigned: true, isSuspended: false },
    };
  });
}

function toFeatureValues({ slots }: ClusterSet, values: readonly Value[]): Value[] {
  return slots.map((slot) => values[slot]);
}

function toCentres({ clusters }: ClusterModel): ReadonlyArray<readonly number[]> {
  return clusters.map(({ centre }) => centre);
}
