import { describe, expect, it } from '@jest/globals';
import { formatProblems, requireValid } from '@perennial/expressions';
import { parseSegments, readSegmentNames, type SegmentState, stepSegments } from './index.js';

const DAY_MS = 86_400_000;
const FEATURES = ['orders', 'tenure', 'spend'];
const OPTIONS = { fileName: 'segments.yaml', featureNames: FEATURES, tenureNames: ['tenure'] };

const CLUSTERS = `
clusters:
  habits:
    owner: crm
    features: [{ feature: orders, median: 0, scale: 1, missing: 0 }]
    centres: [{ name: rare, description: Orders rarely, at: [0] }, { name: often, at: [4] }]
`;
const COHORTS = 'cohorts: { joined: { since: tenure, from: 2026-01, count: 3 } }\n';

const parse = (text: string, segments = '{}') =>
  requireValid(parseSegments(`version: 1\nsegments: ${segments}\n${text}`, OPTIONS));

function problemsOf(text: string): string[] {
  const parsed = parseSegments(`version: 1\nsegments: { habits_rare: { when: "true" } }\n${text}`, OPTIONS);
  return parsed.ok ? [] : formatProblems(parsed.problems).split('\n');
}

/** What changes with each vector, as `name+` and `name-`. */
function run(rules: ReturnType<typeof parse>, moments: ReadonlyArray<readonly [number, readonly (number | null)[]]>) {
  let state: SegmentState | undefined;
  return moments.map(([nowMs, features]) => {
    const result = stepSegments(rules, state, { nowMs, facts: { features } });
    ({ state } = result);
    return result.changes;
  });
}

const toMarks = (changes: ReturnType<typeof run>) =>
  changes.map((list) => list.map(({ segment, change }) => `${segment}${change === 'entered' ? '+' : '-'}`).join(' '));

describe('clusters', () => {
  it('are left and entered in one step, with the values that decided', () => {
    const changes = run(parse(CLUSTERS), [
      [1, [0, null, null]],
      [2, [2, null, null]],
      [3, [3, null, null]],
      [4, [null, null, null]],
    ]);
    expect(toMarks(changes)).toEqual(['habits_rare+', '', 'habits_rare- habits_often+', 'habits_rare+ habits_often-']);
    expect(changes[0]?.[0]).toMatchObject({
      reasons: ['Orders rarely', 'features.orders = 0'],
      evidence: { 'features.orders': 0 },
    });
  });

  it('can be read by other segments, which see where the profile is after the step', () => {
    const rules = parse(CLUSTERS, '{ best: { when: segments.habits_often && features.spend > 9 } }');
    expect(
      toMarks(
        run(rules, [
          [1, [5, null, 10]],
          [2, [0, null, 10]],
        ]),
      ),
    ).toEqual(['best+ habits_often+', 'best- habits_rare+ habits_often-']);
  });

  it('hold nobody who lacks a value that must be there', () => {
    const rules = parse(CLUSTERS.replace(', missing: 0', ''));
    expect(
      toMarks(
        run(rules, [
          [1, [null, null, null]],
          [2, [4, null, null]],
        ]),
      ),
    ).toEqual(['', 'habits_often+']);
  });

  it('are checked with all problems at once', () => {
    expect(
      problemsOf(`clusters:
  habits:
    features: [{ feature: ordres, median: 0, scale: 0 }, { feature: spend, median: 0, scale: 1 }]
    centres: [{ name: A b, at: [1] }]
`),
    ).toEqual([
      'segments.yaml:5:27: unknown feature "ordres", did you mean "orders"?',
      'segments.yaml:5:53: a number from 1e-9 to 1000000000000 is needed here',
      'segments.yaml:6:14: at least 2 items are needed here',
      'segments.yaml:6:23: a name of lower-case letters, digits and _ is needed here',
    ]);
    expect(
      problemsOf(`clusters:
  habits:
    features: [{ feature: spend, median: 0, scale: 1 }, { feature: spend, median: 0, scale: 1 }]
    centres: [{ name: rare, at: [1] }, { name: rare, at: [1, 2] }]
`),
    ).toEqual([
      expect.stringContaining('have one named "habits_rare", which is a segment or tag already'),
      expect.stringContaining('have the feature "spend" twice'),
      expect.stringContaining('the centre "rare" has 1 numbers, and the clusters 2 features'),
      expect.stringContaining('have a centre "rare" already'),
    ]);
  });
});

describe('cohorts', () => {
  const at = (time: string) => Date.parse(time);

  it('follow from the time of the first event, to the millisecond, and move with it', () => {
    const since = (now: string, first: string) => [at(now), [null, (at(now) - at(first)) / DAY_MS, null]] as const;
    const changes = run(parse(COHORTS), [
      [at('2026-04-01T00:00:00Z'), [null, null, null]],
      since('2026-04-09T11:22:33.444Z', '2026-02-01T00:00:00.000Z'),
      since('2026-04-10T01:02:03.004Z', '2026-02-01T00:00:00.000Z'),
      since('2026-04-11T00:00:00Z', '2026-01-31T23:59:59.999Z'),
      since('2026-04-12T00:00:00Z', '2025-12-31T23:59:59.999Z'),
      since('2026-04-13T00:00:00Z', '2026-04-01T00:00:00Z'),
    ]);
    expect(toMarks(changes)).toEqual([
      '',
      'joined_2026_02+',
      '',
      'joined_2026_01+ joined_2026_02-',
      'joined_earlier+ joined_2026_01-',
      'joined_earlier- joined_later+',
    ]);
    expect(changes[1]?.[0]?.reasons[0]).toBe('Began in the month 2026-02');
  });

  it('have weeks from Monday', () => {
    const rules = parse('cohorts: { joined: { by: week, since: tenure, from: 2025-12-29, count: 2 } }');
    expect([...rules.segments.keys()]).toEqual([
      'joined_earlier',
      'joined_2025_12_29',
      'joined_2026_01_05',
      'joined_later',
    ]);
  });

  it('have names that are known without features, 62 at most', () => {
    const text = `version: 1\nsegments: {}\n${COHORTS}${CLUSTERS}`;
    expect(readSegmentNames(text)).toEqual([...parse(COHORTS + CLUSTERS).segments.keys()]);
    expect(readSegmentNames('cohorts: { a: { from: 2026-01, count: 1.0e+9 }, b: 7, c: { from: x } }')).toEqual([]);
    expect(parse(COHORTS.replace('3', '60')).segments.size).toBe(62);
  });

  it('are checked: a period that begins where none does, and a feature that is no time since the first', () => {
    const set = (from: string, by = 'month') =>
      problemsOf(`cohorts: { joined: { by: ${by}, since: tenure, from: ${from} } }`);
    for (const from of ['2026-13', '2026-1', '2026-01-05', 'x']) expect(set(from)).toHaveLength(1);
    expect(set('2026-01-06', 'week')).toEqual([expect.stringContaining('a Monday such as 2026-03-02 is needed')]);
    expect(set('2026-02-30', 'week')).toHaveLength(1);
    expect(set('2026-01-05', 'week')).toEqual([]);
    expect(problemsOf('cohorts: { joined: { since: orders, from: 2026-01, count: 61 } }')).toEqual([
      expect.stringContaining('unknown days_since_first feature "orders"'),
      expect.stringContaining('a whole number from 1 to 60'),
    ]);
  });
});
