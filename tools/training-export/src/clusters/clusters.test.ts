import { describe, expect, it } from '@jest/globals';
import { requireValid } from '@perennial/expressions';
import { createSeededRandom } from '@perennial/kernel';
import { assignCluster, parseSegments, stepSegments, toSquaredDistance } from '@perennial/segments';
import fc from 'fast-check';
import { toClusterYaml } from './cluster-file.js';
import { findClusters, toSilhouette } from './k-means.js';
import { type ClusterTexts, readClusterRequest } from './read-cluster-request.js';
import { toQuantile, toStandard } from './standardise.js';
import { trainClusters, type Vector } from './train-clusters.js';

const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const FEATURES = ['orders', 'days'];
const CENTRES = [
  [2, 100],
  [20, 10],
  [60, 200],
];

/** Profiles around three centres, of sizes 10, 20 and 30, some without a value, and one far from all. */
function createVectors(): Vector[] {
  const random = createSeededRandom(7);
  const near = (at: number, width: number) => at + (random() - 0.5) * width;
  const vectors = CENTRES.flatMap(([orders = 0, days = 0], index) =>
    Array.from({ length: (index + 1) * 10 }, (): Vector => [near(orders, 2), near(days, 20)]),
  );
  return [...vectors, [null, 50], [3, null]];
}

const request = { features: FEATURES, k: 'auto', seed: 3, missing: 'skip' } as const;

describe('training clusters', () => {
  it('finds those that there are, and how many', () => {
    const found = trainClusters(createVectors(), request);
    expect(found.chosen.k).toBe(3);
    expect(found.tried.map(({ k }) => k)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(found).toMatchObject({ profiles: 60, skipped: 2 });
    expect(found.clusters.map(({ name, profiles }) => [name, profiles])).toEqual([
      ['1', 30],
      ['2', 20],
      ['3', 10],
    ]);
    expect(found.chosen.silhouette).toBeGreaterThan(0.7);
    expect(trainClusters(createVectors(), { ...request, k: 2 }).tried).toHaveLength(1);
  });

  it('lets an outlier pull no centre farther away than the clip', () => {
    const { model } = trainClusters([...createVectors(), [1e9, 50]], { ...request, k: 4 });
    expect(Math.max(...model.clusters.flatMap(({ centre }) => centre))).toBeLessThanOrEqual(5);
  });

  it('writes a file that assigns every profile as the training did, to the bit', () => {
    for (const missing of ['skip', 'median'] as const) {
      const vectors = createVectors();
      const found = trainClusters(vectors, { ...request, missing });
      const yaml = `version: 1\nsegments: {}\n${toClusterYaml('habits', found, { cutoff: 'x', seed: 3 })}`;
      const rules = requireValid(parseSegments(yaml, { fileName: 'segments.yaml', featureNames: FEATURES }));
      expect(rules.clusters[0]).toMatchObject({ ...found.model });
      const online = vectors.map((features) => {
        const { state } = stepSegments(rules, undefined, { nowMs: 1, facts: { features } });
        return state.members.map(({ name }) => name);
      });
      const offline = vectors.map((vector) => {
        const own = assignCluster(found.model, vector);
        return own === undefined ? [] : [`habits_${own + 1}`];
      });
      expect(online).toEqual(offline);
      for (const { name, profiles } of found.clusters)
        expect(online.filter(([own]) => own === `habits_${name}`)).toHaveLength(profiles);
      expect(online.filter((own) => own.length === 0)).toHaveLength(missing === 'skip' ? 2 : 0);
    }
  });

  it('gives these clusters for this seed, for ever', () => {
    const found = trainClusters(createVectors(), { ...request, k: 3 });
    expect(toClusterYaml('habits', found, { cutoff: '2026-01-01', seed: 3 }).split('\n')).toEqual([
      'clusters: # trained by k-means: 60 profiles at 2026-01-01, seed 3, silhouette 0.951',
      '  habits:',
      '    clip: 5',
      '    features:',
      '      - { feature: orders, median: 20.8261, scale: 40.8989 }',
      '      - { feature: days, median: 109.559, scale: 188.543 }',
      '    centres: # segments habits_1 to habits_3',
      '      - { name: "1", description: "Typical: orders 60.3, days 206", at: [0.961144, 0.497835] }',
      '      - { name: "2", description: "Typical: orders 19.7, days 10.5", at: [-0.0249907, -0.526823] }',
      '      - { name: "3", description: "Typical: orders 1.76, days 99.2", at: [-0.463544, -0.0539744] }',
      '',
    ]);
  });

  it('says why there are none, with all reasons', () => {
    const problemOf = (vectors: Vector[], k: number | 'auto' = 2) => {
      try {
        trainClusters(vectors, { ...request, k });
      } catch (error) {
        return (error as Error).message.split('\n');
      }
      return [];
    };
    expect(
      problemOf([
        [null, 1],
        [null, 1],
      ]),
    ).toEqual([
      '--features: orders tells nobody apart: no profile has a value of it',
      '--features: days tells nobody apart: it is 1 for every profile',
    ]);
    const few: Vector[] = [
      [1, 2],
      [1, 2],
      [3, 4],
      [5, null],
    ];
    expect(problemOf(few, 3)).toEqual([
      'there are no 3 clusters: 3 profiles have all values that must be there, and 2 different ones',
    ]);
    expect(problemOf(few, 'auto')).toEqual([]);
    expect(problemOf([])).toHaveLength(2);
  });
});

describe('options', () => {
  it('report all that is wrong at once', () => {
    const texts: ClusterTexts = { features: 'ordres, days,days', k: '1', seed: 'x', missing: 'no', name: 'A' };
    const problems = (() => {
      try {
        readClusterRequest(texts, FEATURES);
      } catch (error) {
        return (error as Error).message.split('\n');
      }
      return [];
    })();
    expect(problems).toEqual([
      '--features has "ordres", which is no feature, did you mean orders?',
      '--features has days twice',
      expect.stringContaining('--name is "A"'),
      expect.stringContaining('--k'),
      expect.stringContaining('--seed'),
      expect.stringContaining('--missing'),
    ]);
    expect(
      readClusterRequest({ ...texts, features: 'days', k: '2', seed: '1', missing: 'skip', name: 'a' }, FEATURES),
    ).toEqual({
      name: 'a',
      request: { features: ['days'], k: 2, seed: 1, missing: 'skip' },
    });
  });
});

describe(`k-means (seed ${SEED})`, () => {
  const coordinate = fc.integer({ min: -3, max: 3 });
  const points = fc.uniqueArray(fc.tuple(coordinate, coordinate), {
    minLength: 5,
    maxLength: 30,
    selector: ([a, b]) => `${a} ${b}`,
  });

  it('has k clusters with members, each point at its nearest centre, and a silhouette as defined', () => {
    fc.assert(
      fc.property(points, fc.integer({ min: 2, max: 5 }), fc.nat(), (all, k, seed) => {
        const { centres, assigned, inertia } = findClusters(all, { k, random: createSeededRandom(seed), draws: 2 });
        expect(new Set(assigned).size).toBe(k);
        let sum = 0;
        for (const [at, point] of all.entries()) {
          const distances = centres.map((centre) => toSquaredDistance(point, centre));
          expect(distances[assigned[at] ?? -1]).toBe(Math.min(...distances));
          sum += Math.min(...distances);
        }
        expect(inertia).toBeCloseTo(sum, 9);
        expect(toSilhouette(all, assigned, k)).toBeCloseTo(naiveSilhouette(all, assigned), 9);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });

  it('standardises by quartiles, and by the deviation where half of all are equal', () => {
    expect(toStandard('f', [1, 2, 3, 4, 1e9], false)).toEqual({
      feature: 'f',
      median: 3,
      scale: 2,
      missing: undefined,
    });
    expect(toStandard('f', [0, 0, 0, 0, 5], true)).toEqual({ feature: 'f', median: 0, scale: 2, missing: 0 });
    expect(toStandard('f', [7, 7], true)).toBeUndefined();
    expect(toStandard('f', Array<number>(1_000).fill(9.99), true)).toBeUndefined();
    expect(toQuantile([1, 2], 0.25)).toBe(1.25);
  });
});

function naiveSilhouette(points: ReadonlyArray<readonly number[]>, assigned: readonly number[]): number {
  const distance = (a: readonly number[] = [], b: readonly number[] = []) =>
    Math.hypot(...a.map((value, index) => value - (b[index] ?? 0)));
  const mean = (at: number, cluster: number) => {
    const others = points.filter((_, other) => other !== at && assigned[other] === cluster);
    return others.reduce((sum, other) => sum + distance(points[at], other), 0) / others.length;
  };
  const clusters = [...new Set(assigned)];
  const each = points.map((_, at) => {
    if (assigned.filter((own) => own === assigned[at]).length === 1) return 0;
    const a = mean(at, assigned[at] ?? -1);
    const b = Math.min(...clusters.filter((own) => own !== assigned[at]).map((own) => mean(at, own)));
    return (b - a) / Math.max(a, b);
  });
  return each.reduce((sum, one) => sum + one, 0) / each.length;
}
