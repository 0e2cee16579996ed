import { describe, expect, it } from '@jest/globals';
import { compareResults } from './compare.js';
import type { EdgeName, RunResult } from './result.js';

type Edges = RunResult['edges'];

function createResult({
  edges,
  ...changes
}: Partial<Omit<RunResult, 'edges'> & { edges: Partial<Edges> }> = {}): RunResult {
  return {
    states: {
      'feature-store': new Map([['ann', 'a']]),
      scoring: new Map([['ann', 'b']]),
      action: new Map([['ann', 'c']]),
    },
    edges: {
      actions: new Map([['ann', ['1 x', '2 y']]]),
      transitions: new Map([['ann', ['3 z']]]),
      segments: new Map([['ann', ['4 s']]]),
      outcomes: new Map([['ann', ['5 o', '6 o']]]),
      cancellations: new Map([['ann', ['7 c']]]),
      exposures: new Map([['ann', ['8 e']]]),
      ...edges,
    },
    violations: [],
    repeats: 0,
    ...changes,
  };
}

const WRITTEN = { byPosition: new Map([['scoreComputed scoring/0:7:0', 'x']]), violations: [] };
const SAME = { before: WRITTEN, after: WRITTEN };

describe('compareResults', () => {
  it('finds nothing between equals, whatever was repeated', () => {
    expect(compareResults(createResult({ repeats: 7 }), createResult(), SAME)).toEqual({
      lost: 0,
      doubled: 0,
      differing: 0,
      examples: [],
    });
  });

  it.each([
    ['a lost action', { edges: { actions: new Map() } }, { lost: 1, doubled: 0, differing: 0 }],
    [
      'an action too many',
      { edges: { actions: new Map([['ann', ['1 x', '2 y', '4 w']]]) } },
      { lost: 0, doubled: 0, differing: 1 },
    ],
    [
      'a profile too many',
      {
        edges: {
          transitions: new Map([
            ['ann', ['3 z']],
            ['bob', ['5 v']],
          ]),
        },
      },
      { lost: 0, doubled: 1, differing: 0 },
    ],
    [
      'another order',
      { edges: { actions: new Map([['ann', ['2 y', '1 x']]]) } },
      { lost: 0, doubled: 0, differing: 1 },
    ],
    ['two contents', { violations: ['id 1 came with two contents'] }, { lost: 0, doubled: 0, differing: 1 }],
  ])('counts %s', (_what, changes, counts) => {
    expect(compareResults(createResult(changes), createResult(), SAME)).toMatchObject(counts);
  });

  it.each<EdgeName>(['outcomes', 'cancellations', 'exposures'])(
    'finds what differs, is lost or doubled among %s',
    (edge) => {
      const has = (...list: ReadonlyArray<[string, string[]]>) => createResult({ edges: { [edge]: new Map(list) } });
      const counts = (faulty: RunResult) => {
        const { lost, doubled, differing } = compareResults(faulty, has(['ann', ['1 x']]), SAME);
        return [lost, doubled, differing];
      };
      expect(counts(has(['ann', ['1 x']]))).toEqual([0, 0, 0]);
      expect(counts(has())).toEqual([1, 0, 0]);
      expect(counts(has(['ann', ['1 x']], ['bob', ['2 x']]))).toEqual([0, 1, 0]);
      expect(counts(has(['ann', ['1 y']]))).toEqual([0, 0, 1]);
    },
  );

  it('compares states byte by byte', () => {
    const states = { ...createResult().states, scoring: new Map([['ann', 'other']]) };
    const difference = compareResults(createResult({ states }), createResult(), SAME);
    expect(difference).toMatchObject({ differing: 1, examples: ['differing: state of ann in scoring'] });
  });

  it.each([
    ['that is missing', new Map(), { lost: 1, doubled: 0, differing: 0 }],
    ['with other bytes', new Map([['scoreComputed scoring/0:7:0', 'y']]), { lost: 0, doubled: 0, differing: 1 }],
  ])('finds a record between the services %s', (_, byPosition, counts) => {
    const before = { byPosition, violations: [] };
    expect(compareResults(createResult(), createResult(), { before, after: WRITTEN })).toMatchObject(counts);
  });
});
