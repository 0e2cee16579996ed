import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '@perennial/expressions';
import { parseSegments } from './index.js';
import { FEATURE_NAMES, parse } from './segments-test-kit.js';

function problemsOf(yaml: string): string {
  const parsed = parseSegments(yaml, { fileName: 'segments.yaml', featureNames: FEATURE_NAMES });
  return parsed.ok ? '' : formatProblems(parsed.problems);
}

describe('parseSegments', () => {
  it('reads rules, sequences and stays', () => {
    const { segments, recheckMs } = parse(`version: 1
recheck: 12h
segments:
  big: { when: features.spend_365d >= 500, leave: features.spend_365d < 400, minStay: 1d }
  basket:
    did: { type: track, name: Product Added }
    butNot: { type: track, name: Order Completed }
    within: 1h
    maxStay: 3d
`);
    expect(recheckMs).toBe(43_200_000);
    expect([...segments.keys()]).toEqual(['big', 'basket']);
    expect(segments.get('big')).toMatchObject({ minStayMs: 86_400_000, sequence: undefined });
    expect(segments.get('basket')).toMatchObject({
      when: undefined,
      maxStayMs: 259_200_000,
      sequence: { did: { type: 'track', name: 'Product Added' }, withinMs: 3_600_000 },
    });
  });

  it('reports misspelt keys, features, names and times with their place, all at once', () => {
    expect(
      problemsOf(`version: 1
recheck: 1s
segments:
  Big: { when: features.spend_365 > 1 }
  odd: { wen: "true" }
  basket: { within: soon }
`),
    ).toBe(
      [
        'segments.yaml:2:10: a duration such as 30m, 12h or 60d (from 60s to 3660d) is needed here',
        'segments.yaml:4:3: "Big" is not a name: lower-case letters, digits and _, a letter first, 63 at most',
        'segments.yaml:4:16: unknown name "features.spend_365", did you mean "features.spend_365d"?',
        'segments.yaml:5:10: unknown key "wen", did you mean "when"?',
        'segments.yaml:6:21: a duration such as 30m, 12h or 60d (from 1s to 3660d) is needed here',
      ].join('\n'),
    );
  });

  it('reports rules that say nothing, or that nobody can meet', () => {
    expect(
      problemsOf(`version: 1
segments:
  none: { description: Nobody }
  half: { did: { type: track }, within: 1h }
  never: { did: { type: track, name: A }, butNot: { type: track }, within: 1h }
  short: { did: { type: track, name: A }, butNot: { type: page }, within: 1h, minStay: 2d, maxStay: 1d }
  kept: { when: "true", maxStay: 1d }
`),
    ).toBe(
      [
        'segments.yaml:3:9: the segment "none" has no rule: it needs "when", or "did", "butNot" and "within"',
        'segments.yaml:4:9: "did", "butNot" and "within" belong together: the segment "half" has 2 of them',
        'segments.yaml:5:51: the segment "never" stays empty: "butNot" is the event of "did"',
        'segments.yaml:6:10: "maxStay" of the segment "short" is shorter than its "minStay"',
        'segments.yaml:7:9: "maxStay" of the segment "kept" would be undone at once: only one with "did" can have it',
      ].join('\n'),
    );
  });
});
