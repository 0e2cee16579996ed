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

  it('reports unknown segments, and segments that read each other, with their way', () => {
    expect(
      problemsOf(`version: 1
segments:
  a: { when: segments.b == true }
  b: { when: tags.c == true && features.spend_365d > 1 }
  own: { when: features.spend_365d > 1, leave: segments.own == true }
  near: { when: segments.bb == true }
tags:
  c: { kind: rule, when: segments.a == true }
`),
    ).toBe('segments.yaml:6:17: unknown name "segments.bb", did you mean "segments.b"?');
    expect(
      problemsOf(`version: 1
segments:
  a: { when: segments.b == true }
  b: { when: tags.c == true && features.spend_365d > 1 }
  own: { when: features.spend_365d > 1, leave: segments.own == true }
tags:
  c: { kind: rule, when: segments.a == true }
`),
    ).toBe(
      [
        'segments.yaml:3:6: segments read each other in a circle: a -> b -> c -> a',
        'segments.yaml:5:8: "own" reads itself',
      ].join('\n'),
    );
  });

  it('reports conditions of tags that are given, and a name that stands twice', () => {
    expect(
      problemsOf(`version: 1
segments:
  vip: { when: tags.vip == true }
tags:
  vip: { kind: manual, owner: crm }
  old: { kind: imported, when: features.spend_365d > 1 }
  top: { kind: manual, by: spend_365d, top: 3 }
`),
    ).toBe(
      [
        'segments.yaml:3:8: "vip" reads itself',
        'segments.yaml:5:8: "vip" is the name of a segment already',
        'segments.yaml:6:8: the tag "old" of kind imported is given to profiles: it has no conditions',
        'segments.yaml:7:8: the tag "top" of kind manual is given to profiles: it has no conditions',
      ].join('\n'),
    );
  });

  it('reads damaged files without a throw', () => {
    for (const text of [
      '',
      '[]',
      'segments: [a]',
      'tags: 3',
      'version: 1\nsegments: { a: 1 }\ntags: x',
      '{',
      'tags: { a: { kind: manual }, a: {} }',
    ])
      expect(problemsOf(text)).not.toBe('');
  });
});
