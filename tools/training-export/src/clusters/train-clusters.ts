import { AppError, createSeededRandom } from '@perennial/kernel';
import { assignCluster, type ClusterFeature, type ClusterModel, toPoint } from '@perennial/segments';
import { findClusters, toSilhouette } from './k-means.js';
import { CLUSTER_LIMITS as LIMITS } from './limits.js';
import { toDigits, toQuantile, toStandard } from './standardise.js';

/** What to train. */
export interface ClusterRequest {
  readonly features: readonly string[];
  /** `auto`: the number of clusters with the best silhouette. */
  readonly k: number | 'auto';
  readonly seed: number;
  /** What a missing value counts as: the median, or the profile is in no cluster. */
  readonly missing: 'median' | 'skip';
}

/** Values of one profile, in the order of the features. */
export type Vector = readonly (number | null)[];

interface Tried {
  readonly k: number;
  /** Mean squared distance of a profile to its centre, in standardised values. */
  readonly inertia: number;
  readonly silhouette: number;
}

export interface TrainedClusters {
  /** What the service assigns by; clusters are named 1, 2 ... from the largest on. */
  readonly model: ClusterModel;
  /** Of the profiles that were read: those with all values that must be there. */
  readonly profiles: number;
  /** Those without. */
  readonly skipped: number;
  readonly chosen: Tried;
  /** Every number of clusters that was tried; of `auto` with a sample. */
  readonly tried: readonly Tried[];
  readonly clusters: ReadonlyArray<{
    readonly name: string;
    readonly profiles: number;
    /** Medians of the features, in their order; null where no member has a value. */
    readonly medians: readonly (number | null)[];
  }>;
}

/** Trains on the vectors of profiles. Throws `config_invalid` with every reason why there are no such clusters. */
export function trainClusters(vectors: readonly Vector[], request: ClusterRequest): TrainedClusters {
  const { k, seed } = request;
  const features = toFeatures(vectors, request);
  const base: ClusterModel = { features, clip: LIMITS.clip, clusters: [] };
  const points = vectors.flatMap((vector) => {
    const point = toPoint(base, vector);
    return point === undefined ? [] : [point];
  });
  const distinct = countDistinct(points.slice(0, k === 'auto' ? LIMITS.autoPointsMax : points.length), LIMITS.kMax);
  const least = k === 'auto' ? LIMITS.kMin : k;
  if (distinct < least) {
    const found = `${points.length} profiles have all values that must be there, and ${distinct} different ones`;
    throw new AppError('config_invalid', `there are no ${least} clusters: ${found}`);
  }
  // In the order of a hash of the keys, so that the first ones are a sample.
  const few = points.slice(0, LIMITS.autoPointsMax);
  const attempts =
    k === 'auto' ? listKs(Math.min(LIMITS.kAutoMax, distinct)).map((count) => tryClusters(few, count, seed)) : [];
  const auto = attempts.reduce(
    (a, b) => (a !== undefined && a.tried.silhouette >= b.tried.silhouette ? a : b),
    attempts[0],
  );
  const best = tryClusters(points, k === 'auto' ? (auto?.tried.k ?? least) : k, seed);
  const described = describe(vectors, { ...base, clusters: toClusters(best.found.centres) });
  return {
    ...described,
    profiles: points.length,
    skipped: vectors.length - points.length,
    chosen: best.tried,
    tried: k === 'auto' ? attempts.map(({ tried }) => tried) : [best.tried],
  };
}

function tryClusters(points: ReadonlyArray<readonly number[]>, k: number, seed: number) {
  // Each number of clusters has draws of its own: it does not matter which others are tried.
  const random = createSeededRandom(seed * LIMITS.kMax + k);
  const found = findClusters(points, { k, random, draws: LIMITS.draws });
  const sample = drawSample(points.length, createSeededRandom(seed));
  const own = sample.map((at) => found.assigned[at] ?? 0);
  const silhouette = toSilhouette(
    sample.map((at) => points[at] ?? []),
    own,
    k,
  );
  return { found, tried: { k, inertia: found.inertia / points.length, silhouette } };
}

function toFeatures(vectors: readonly Vector[], { features, missing }: ClusterRequest): ClusterFeature[] {
  const problems: string[] = [];
  const standards = features.map((feature, index) => {
    const values = vectors.flatMap((vector) => {
      const value = vector[index] ?? null;
      return value === null || Number.isNaN(value) ? [] : [value];
    });
    const standard = values.length === 0 ? undefined : toStandard(feature, values, missing === 'median');
    const reason = values.length === 0 ? 'no profile has a value of it' : `it is ${values[0]} for every profile`;
    if (standard === undefined) problems.push(`--features: ${feature} tells nobody apart: ${reason}`);
    return standard;
  });
  if (problems.length > 0) throw new AppError('config_invalid', problems.join('\n'));
  return standards.filter((standard) => standard !== undefined);
}

function listKs(max: number): number[] {
  return Array.from({ length: max - LIMITS.kMin + 1 }, (_, index) => LIMITS.kMin + index);
}

function toClusters(centres: ReadonlyArray<readonly number[]>): ClusterModel['clusters'] {
  return centres.map((centre, index) => ({ name: String(index), description: '', centre: centre.map(toDigits) }));
}

/** Sizes and typical values by the rule of the service, so that they are those of the artifact; named by size. */
function describe(vectors: readonly Vector[], model: ClusterModel): Pick<TrainedClusters, 'model' | 'clusters'> {
  const members = model.clusters.map((): Vector[] => []);
  for (const vector of vectors) {
    const own = assignCluster(model, vector);
    if (own !== undefined) members[own]?.push(vector);
  }
  const sorted = model.clusters
    .map(({ centre }, index) => ({ centre, own: members[index] ?? [] }))
    .sort((a, b) => b.own.length - a.own.length);
  const clusters = sorted.map(({ own }, index) => ({
    name: String(index + 1),
    profiles: own.length,
    medians: model.features.map((_, at) => toMedian(own, at)),
  }));
  return {
    clusters,
    model: {
      ...model,
      clusters: sorted.map(({ centre }, index) => {
        const name = String(index + 1);
        return { name, description: toText(model.features, clusters[index]?.medians ?? []), centre };
      }),
    },
  };
}

function toMedian(vectors: readonly Vector[], at: number): number | null {
  const values = vectors.flatMap((vector) => (vector[at] == null ? [] : [vector[at]]));
  return values.length === 0 ? null : toDigits(toQuantile(Float64Array.from(values).sort(), 0.5));
}

/** Such as `orders_count_365d 4, orders_recency_days 12.5`: what is typical of a member. */
function toText(features: readonly ClusterFeature[], medians: readonly (number | null)[]): string {
  const parts = features.map(({ feature }, at) => {
    const value = medians[at] ?? null;
    return `${feature} ${value === null ? 'missing' : Number(value.toPrecision(3))}`;
  });
  return `Typical: ${parts.join(', ')}`.slice(0, 500);
}

/** How many different points there are, up to a number. */
function countDistinct(points: readonly (readonly number[])[], max: number): number {
  const seen = new Set<string>();
  for (const point of points) {
    seen.add(point.join(' '));
    if (seen.size === max) break;
  }
  return seen.size;
}

/** Indexes of points, all where there are few. */
function drawSample(count: number, random: () => number): number[] {
  if (count <= LIMITS.silhouetteMax) return Array.from({ length: count }, (_, at) => at);
  return Array.from({ length: LIMITS.silhouetteMax }, () => Math.floor(random() * count));
}
