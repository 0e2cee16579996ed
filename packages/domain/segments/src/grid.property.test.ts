import { describe, expect, it } from '@jest/globals';
import { formatProblems, requireValid } from '@perennial/expressions';
import fc from 'fast-check';
import {
  decodePopulation,
  encodePopulation,
  listMeasures,
  type Population,
  PopulationBuilder,
  parseSegments,
  readSegmentNames,
  type SegmentState,
  type Segments,
  stepSegments,
  toThresholds,
  withPopulation,
} from './index.js';

const SEED = 31;
const FEATURES = ['recency', 'orders', 'money'];
const AXES = 'recency: recency, frequency: orders, money: money';
const T0 = 1_700_000_000_000;
type Row = readonly (number | null)[];

const parse = (text: string): Segments =>
  requireValid(
    parseSegments(`version: 1\nsegments: {}\n${text}`, { fileName: 'segments.yaml', featureNames: FEATURES }),
  );
const problemsOf = (text: string): string => {
  const parsed = parseSegments(`version: 1\nsegments: { x: { when: "true" } }\n${text}`, {
    fileName: 'segments.yaml',
    featureNames: FEATURES,
  });
  return parsed.ok ? '' : formatProblems(parsed.problems);
};

/** Conditions read five variables before the features. */
const toValues = (row: Row) => [null, null, null, null, null, ...row];
function measure(segments: Segments, rows: readonly Row[]): Population {
  const builder = new PopulationBuilder(listMeasures(segments));
  for (const row of rows) builder.add(toValues(row));
  return decodePopulation(encodePopulation(builder.build()));
}
const step = (segments: Segments, features: Row, state?: SegmentState) =>
  stepSegments(segments, state, { nowMs: T0, facts: { features } });
const membersOf = (segments: Segments, features: Row) => step(segments, features).state.members.map(({ name }) => name);

const amount = fc.integer({ min: 0, max: 400 }).map((value) => value / 4);
const customer: fc.Arbitrary<Row> = fc.tuple(amount, fc.integer({ min: 1, max: 9 }), amount);
const stranger: fc.Arbitrary<Row> = fc.constantFrom([null, 0, 0], [null, null, null], [3, 0, 5]);

describe('a grid of recency, frequency and money', () => {
  it.each(['thresholds: quantile', 'thresholds: mean', 'thresholds: quantile, levels: 3', 'highFrom: 5'])(
    'with %s has each customer in exactly one class, and nobody else in any',
    (options) => {
      const grid = parse(`grids: { rfm: { ${AXES}, ${options} } }`);
      fc.assert(
        fc.property(fc.array(customer, { minLength: 1, maxLength: 30 }), stranger, (rows, other) => {
          const segments = withPopulation(grid, measure(grid, [...rows, other]));
          for (const row of rows) expect(membersOf(segments, row)).toHaveLength(1);
          expect(membersOf(segments, other)).toEqual([]);
        }),
        { numRuns: 200, seed: SEED },
      );
    },
  );

  it('has the thresholds of the parts of a population, summed in any order', () => {
    const grid = parse(`grids: { rfm: { ${AXES} } }`);
    const rows = fc.array(customer, { maxLength: 20 });
    fc.assert(
      fc.property(rows, rows, (a, b) => {
        const sum = new PopulationBuilder(listMeasures(grid));
        for (const part of [b, a]) sum.addAll(measure(grid, part));
        expect(toThresholds(grid, sum.build())).toEqual(toThresholds(grid, measure(grid, [...a, ...b])));
      }),
      { numRuns: 200, seed: SEED },
    );
  });

  it('takes fifths: of ten customers two are above the last threshold', () => {
    const grid = parse(`grids: { rfm: { ${AXES} } }`);
    const rows = Array.from({ length: 10 }, (_, n): Row => [n + 1, n + 1, (n + 1) * 10]);
    const segments = withPopulation(grid, measure(grid, rows));
    expect(toThresholds(grid, measure(grid, rows))).toMatchObject({
      rfm: { recency: [2, 4, 6, 8], frequency: [2, 4, 6, 8] },
    });
    expect(membersOf(segments, [1, 10, 1_000])).toEqual(['rfm_important_value']);
    expect(membersOf(segments, [1, 1, 1_000])).toEqual(['rfm_important_develop']);
    expect(membersOf(segments, [10, 10, 1_000])).toEqual(['rfm_important_retain']);
    expect(membersOf(segments, [10, 1, 1_000])).toEqual(['rfm_important_win_back']);
    expect(membersOf(segments, [10, 1, 1])).toEqual(['rfm_general_win_back']);
  });

  it('needs no population for thresholds by hand', () => {
    const byHand = 'byHand: { recency: [30], frequency: [1], money: [100] }';
    const segments = parse(`grids: { rfm: { ${AXES}, ${byHand} } }`);
    expect(listMeasures(segments)).toEqual([]);
    expect(membersOf(segments, [30, 2, 100])).toEqual(['rfm_general_value']);
    expect(membersOf(segments, [31, 1, 101])).toEqual(['rfm_important_win_back']);
  });

  it('keeps who is in a class while no population is known, and lets nobody in', () => {
    const grid = parse(`grids: { rfm: { ${AXES} } }`);
    expect(membersOf(grid, [1, 1, 1])).toEqual([]);
    const known = withPopulation(grid, measure(grid, [[1, 1, 1]]));
    const { state } = step(known, [1, 1, 1]);
    expect(step(grid, [900, 9, 9], state)).toMatchObject({ changes: [], state: { members: state.members } });
    expect(toThresholds(grid, undefined)).toEqual({ rfm: null });
  });
});

describe('a rank tag', () => {
  it.each([
    ['top: 2', [false, false, true, true]],
    ['topShare: 0.25', [false, false, false, true]],
    ['top: 9', [true, true, true, true]],
  ])('of %s has those with the highest values', (size, expected) => {
    const tag = parse(`tags: { best: { kind: rank, owner: crm, by: money, ${size} } }`);
    const rows = [10, 20, 30, 40].map((money): Row => [null, null, money]);
    const segments = withPopulation(tag, measure(tag, rows));
    expect(rows.map((row) => membersOf(segments, row).length === 1)).toEqual(expected);
    expect(membersOf(segments, [1, 1, null])).toEqual([]);
    expect(step(segments, [null, null, 40]).changes[0]).toMatchObject({ evidence: { 'features.money': 40 } });
  });
});

describe('tags and grids in the file', () => {
  it('are named after the segments, as who reads the names alone has them', () => {
    const text = `version: 1\nsegments: { a: { when: "true" } }\ntags: { b: { kind: rule, when: "true" } }\ngrids: { rfm: { ${AXES} } }\n`;
    const names = [
      ...requireValid(parseSegments(text, { fileName: 's.yaml', featureNames: FEATURES })).segments.keys(),
    ];
    expect(readSegmentNames(text)).toEqual(names);
    expect(names).toHaveLength(10);
  });

  it.each([
    ['tags: { x: { kind: rule, when: "true" } }', '"x" is the name of a segment already'],
    ['tags: { y: { kind: rule } }', 'needs "when"'],
    ['tags: { y: { kind: score, when: "true", top: 3 } }', 'are for tags of kind rank'],
    ['tags: { y: { kind: rank, by: money } }', 'needs "by", and either "top" or "topShare"'],
    ['tags: { y: { kind: rank, by: mony, top: 3 } }', 'unknown feature "mony", did you mean "money"?'],
    ['grids: { rfm: { recency: recency, frequency: order, money: money } }', 'did you mean "orders"?'],
    [
      `grids: { rfm: { ${AXES}, byHand: { recency: [3, 2], frequency: [1], money: [1] } } }`,
      'of recency of the grid "rfm" must ascend',
    ],
    [
      `grids: { x: { ${AXES} } }\ntags: { x_general_value: { kind: rule, when: "true" } }`,
      'is a segment or tag already',
    ],
  ])('%s: %s', (text, problem) => {
    expect(problemsOf(text)).toContain(problem);
  });
});
