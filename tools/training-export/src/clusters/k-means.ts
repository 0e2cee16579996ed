import { findNearestCentre, toSquaredDistance } from '@perennial/segments';

const ROUNDS_MAX = 100;

type Point = ArrayLike<number>;

export interface Clustering {
  readonly centres: ReadonlyArray<readonly number[]>;
  /** Index of the centre of each point. */
  readonly assigned: readonly number[];
  /** Sum of the squared distances of the points to their centres. */
  readonly inertia: number;
}

/**
 * k-means by Lloyd's rounds, from centres drawn by k-means++ (Arthur and Vassilvitskii, "k-means++: The Advantages of Careful
 * Seeding", SODA 2007); of several draws the one with the least inertia. Equal input and seed give equal centres. There must be k different points at
 * least. Distances are those that the service assigns by.
 */
export function findClusters(
  points: readonly Point[],
  { k, random, draws }: { readonly k: number; readonly random: () => number; readonly draws: number },
): Clustering {
  let best: Clustering | undefined;
  for (let draw = 0; draw < draws; draw += 1) {
    const found = settle(points, drawCentres(points, k, random));
    if (best === undefined || found.inertia < best.inertia) best = found;
  }
  return best as Clustering;
}

/** The first centre is any point; each further one is drawn with a chance that grows with its squared distance to the nearest so far. */
function drawCentres(points: readonly Point[], k: number, random: () => number): Point[] {
  const first = points[Math.floor(random() * points.length)] ?? [];
  const centres = [first];
  const squared = Float64Array.from(points, (point) => toSquaredDistance(point, first));
  while (centres.length < k) {
    let left = random() * squared.reduce((sum, distance) => sum + distance, 0);
    let chosen = squared.findLastIndex((distance) => distance > 0);
    for (const [index, distance] of squared.entries()) {
      left -= distance;
      if (distance === 0 || left > 0) continue;
      chosen = index;
      break;
    }
    const centre = points[chosen] ?? [];
    centres.push(centre);
    for (const [index, point] of points.entries())
      squared[index] = Math.min(squared[index] ?? 0, toSquaredDistance(point, centre));
  }
  return centres;
}

/** Moves each centre to the mean of its points until none changes. */
function settle(points: readonly Point[], drawn: readonly Point[]): Clustering {
  let centres: ReadonlyArray<readonly number[]> = drawn.map((centre) => Array.from(centre));
  let { assigned, inertia } = assignAll(points, centres);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    centres = toMeans(points, assigned, centres);
    const next = assignAll(points, centres);
    const isSettled = next.assigned.every((index, at) => index === assigned[at]);
    ({ assigned, inertia } = next);
    if (isSettled) break;
  }
  return { centres, assigned, inertia };
}

function assignAll(points: readonly Point[], centres: ReadonlyArray<readonly number[]>) {
  let inertia = 0;
  const assigned = points.map((point) => {
    const { index, squared } = findNearestCentre(centres, point);
    inertia += squared;
    return index;
  });
  return { assigned, inertia };
}

/** A centre without points moves to the point that is farthest from its own centre, so that k clusters stay k. */
function toMeans(
  points: readonly Point[],
  assigned: readonly number[],
  before: ReadonlyArray<readonly number[]>,
): number[][] {
  const sums = before.map((centre) => centre.map(() => 0));
  const counts = before.map(() => 0);
  for (const [at, point] of points.entries()) {
    const own = assigned[at] ?? 0;
    counts[own] = (counts[own] ?? 0) + 1;
    const sum = sums[own] ?? [];
    for (let index = 0; index < sum.length; index += 1) sum[index] = (sum[index] ?? 0) + (point[index] ?? 0);
  }
  const taken = new Set<number>();
  return sums.map((sum, own) => {
    const count = counts[own] ?? 0;
    if (count > 0) return sum.map((total) => total / count);
    let farthest = { at: 0, squared: -1 };
    for (const [at, point] of points.entries()) {
      const squared = toSquaredDistance(point, before[assigned[at] ?? 0] ?? []);
      if (squared > farthest.squared && !taken.has(at)) farthest = { at, squared };
    }
    taken.add(farthest.at);
    return Array.from(points[farthest.at] ?? sum);
  });
}

/**
 * Mean silhouette of points (Rousseeuw, "Silhouettes", 1987): from -1 to 1, near 1 where clusters are far apart and dense. A point that is alone
 * in its cluster counts 0. Takes the square of the number of points: pass a sample.
 */
export function toSilhouette(points: readonly Point[], assigned: readonly number[], k: number): number {
  const sizes = Array.from({ length: k }, (_, cluster) => assigned.filter((own) => own === cluster).length);
  let sum = 0;
  for (const [at, point] of points.entries()) {
    const totals = sizes.map(() => 0);
    for (const [other, to] of points.entries()) {
      const cluster = assigned[other] ?? 0;
      totals[cluster] = (totals[cluster] ?? 0) + Math.sqrt(toSquaredDistance(point, to));
    }
    const own = assigned[at] ?? 0;
    const ownSize = sizes[own] ?? 0;
    if (ownSize < 2) continue;
    const within = (totals[own] ?? 0) / (ownSize - 1);
    const between = totals.flatMap((total, cluster) => {
      const size = sizes[cluster] ?? 0;
      return cluster === own || size === 0 ? [] : [total / size];
    });
    const nearest = Math.min(...between);
    const larger = Math.max(within, nearest);
    if (Number.isFinite(larger) && larger > 0) sum += (nearest - within) / larger;
  }
  return points.length === 0 ? 0 : sum / points.length;
}
