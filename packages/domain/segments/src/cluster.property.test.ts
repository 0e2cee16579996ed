import { describe, expect, it } from '@jest/globals';
import { requireValid } from '@perennial/expressions';
import fc from 'fast-check';
import { assignCluster, parseSegments, type SegmentState, stepSegments } from './index.js';

// fast-check prints nothing here, so the seed is part of the test's name; PROPERTY_SEED=... repeats that run.
const SEED = Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31);
const FEATURES = ['orders', 'days', 'spend'];

const value = fc.oneof(
  fc.constant(null),
  fc.constantFrom(0, 1, -0, 5e-324, 1e308, Number.POSITIVE_INFINITY),
  fc.double({ noNaN: true }),
  fc.integer({ min: -20, max: 20 }),
);
const number = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.double({ min: -50, max: 50, noNaN: true }));
const scale = fc.oneof(fc.constantFrom(1, 3), fc.double({ min: 0.01, max: 1e3, noNaN: true }));
const model = fc
  .record({
    features: fc.shuffledSubarray(FEATURES, { minLength: 1 }),
    count: fc.integer({ min: 2, max: 6 }),
    clip: fc.constantFrom(1, 5, 0.3),
    margin: fc.constantFrom(0, 0.1, 0.5),
  })
  .chain(({ features, count, ...rest }) =>
    fc.record({
      ...Object.fromEntries(Object.entries(rest).map(([name, kept]) => [name, fc.constant(kept)])),
      features: fc.tuple(
        ...features.map((feature) =>
          fc.record({
            feature: fc.constant(feature),
            median: number,
            scale,
            missing: fc.option(number, { nil: undefined }),
          }),
        ),
      ),
      centres: fc.array(fc.array(number, { minLength: features.length, maxLength: features.length }), {
        minLength: count,
        maxLength: count,
      }),
    }),
  ) as fc.Arbitrary<{
  clip: number;
  margin: number;
  features: Array<{ feature: string; median: number; scale: number; missing: number | undefined }>;
  centres: number[][];
}>;
const histories = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 8 });

/** The file as `segments cluster` writes it: numbers as JSON has them. */
function toYaml({ centres, ...set }: { centres: number[][] }): string {
  const named = centres.map((at, index) => ({ name: `c${index}`, at }));
  return `version: 1\nsegments: {}\nclusters: { habits: ${JSON.stringify({ ...set, centres: named })} }\n`;
}

function parse(yaml: string) {
  return requireValid(parseSegments(yaml, { fileName: 'segments.yaml', featureNames: FEATURES }));
}

/** The clusters that a profile is in after each of its vectors. */
function run(rules: ReturnType<typeof parse>, vectors: ReadonlyArray<readonly (number | null)[]>): string[][] {
  let state: SegmentState | undefined;
  return vectors.map((features, index) => {
    ({ state } = stepSegments(rules, state, { nowMs: 1_000 + index, facts: { features } }));
    return state.members.map(({ name }) => name);
  });
}

describe(`clusters (seed ${SEED})`, () => {
  it('are the same in training and in service, to the bit', () => {
    fc.assert(
      fc.property(model, fc.tuple(value, value, value), (file, vector) => {
        const rules = parse(toYaml(file));
        const clusters = file.centres.map((centre, index) => ({ name: `c${index}`, description: '', centre }));
        const offline = assignCluster(
          { ...file, clusters },
          file.features.map(({ feature }) => vector[FEATURES.indexOf(feature)]),
        );
        expect(run(rules, [vector])[0]).toEqual(offline === undefined ? [] : [`habits_c${offline}`]);
      }),
      { seed: SEED, numRuns: 150 },
    );
  });

  it('hold a profile in one at most, which it leaves only for one that is nearer by the margin', () => {
    fc.assert(
      fc.property(model, histories, (file, vectors) => {
        const names = run(parse(toYaml(file)), vectors);
        let own = -1;
        for (const [step, members] of names.entries()) {
          const distances = naiveDistances(file, vectors[step] ?? []);
          const before = own;
          own = distances === undefined ? -1 : file.centres.findIndex((_, index) => members[0] === `habits_c${index}`);
          expect(members).toHaveLength(distances === undefined ? 0 : 1);
          if (distances === undefined) continue;
          const least = Math.min(...distances);
          if (own !== before) expect(distances[own]).toBe(least);
          if (own === before) expect(least).toBeGreaterThanOrEqual((1 - file.margin) ** 2 * (distances[own] ?? 0));
        }
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

function naiveDistances(
  {
    features,
    centres,
    clip,
  }: {
    features: Array<{ feature: string; median: number; scale: number; missing: number | undefined }>;
    centres: number[][];
    clip: number;
  },
  vector: readonly (number | null)[],
): number[] | undefined {
  const values = features.map(({ feature, missing }) => vector[FEATURES.indexOf(feature)] ?? missing);
  if (values.includes(undefined)) return undefined;
  const point = features.map(({ median, scale: by }, index) => {
    const found = ((values[index] ?? 0) - median) / by;
    return found > clip ? clip : Math.max(found, -clip);
  });
  return centres.map((centre) => point.map((at, index) => (at - (centre[index] ?? 0)) ** 2).reduce((a, b) => a + b));
}
