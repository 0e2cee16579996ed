import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  condition,
  declareVariables,
  duration,
  findNearest,
  flag,
  formatProblems,
  integer,
  jsonObject,
  list,
  located,
  named,
  number,
  object,
  oneOf,
  optional,
  parseYaml,
  text,
  timeOfDay,
  toEditDistance,
} from './index.js';

const VARIABLES = declareVariables([{ name: 'features.orders_count_7d', kind: 'number' }]);
const NAME = { pattern: /^[a-z][a-z0-9_]*$/, patternHint: 'lower-case letters, digits and _', itemsMax: 3 };
const SHAPE = object({
  version: integer({ min: 1, max: 1 }),
  strategies: named(
    object({
      on: oneOf(['stage_entered', 'scored']),
      when: optional(condition(VARIABLES), undefined),
      expiry: optional(duration({ minMs: 1_000 }), 86_400_000),
      stages: optional(list(located(text({ lengthMax: 20 })), { itemsMin: 1, itemsMax: 2 }), []),
      share: optional(number({ min: 0, max: 1 }), 0),
      quiet: optional(timeOfDay(), 0),
      enabled: optional(flag(), true),
      parameters: optional(jsonObject({ lengthMax: 100 }), {}),
    }),
    NAME,
  ),
});

const parse = (file: string) => parseYaml(file, SHAPE, { fileName: 'policy.yaml' });

function problemsOf(file: string): string {
  const parsed = parse(file);
  return parsed.ok ? '' : formatProblems(parsed.problems);
}

describe('parseYaml', () => {
  it('reads a file that fits', () => {
    const parsed = parse(`
version: 1
strategies:
  welcome:
    on: stage_entered
    when: features.orders_count_7d > 1
    expiry: 1.5h
    stages: [new, "won_back"]
    quiet: "21:30"
    parameters: { coupon: A, __proto__: { polluted: 1 } }
`);
    expect(parsed.ok).toBe(true);
    if (!parsed.ok) return;
    const welcome = parsed.value.strategies.get('welcome');
    expect(welcome).toMatchObject({ on: 'stage_entered', expiry: 5_400_000, quiet: 1290, enabled: true });
    expect(welcome?.stages.map(({ value }) => value)).toEqual(['new', 'won_back']);
    expect(Object.hasOwn({}.constructor.prototype, 'polluted')).toBe(false);
  });

  it('reports every problem at once with its place and the nearest right word', () => {
    expect(
      problemsOf(`version: 2
strategys:
  welcome: {}
`),
    ).toBe(
      [
        'policy.yaml:1:1: the key "strategies" is missing',
        'policy.yaml:1:10: a whole number from 1 to 1 is needed here',
        'policy.yaml:2:1: unknown key "strategys", did you mean "strategies"?',
      ].join('\n'),
    );
    expect(
      problemsOf(`version: 1
strategies:
  welcome:
    on: stage_enterd
    expirey: 3d
    share: 1.5
    stages: []
  Bad Name:
    on: [scored]
    enabled: yes
    quiet: "25:00"
    parameters: [1]
`),
    ).toBe(
      [
        'policy.yaml:4:9: "stage_enterd" is not one of stage_entered, scored, did you mean "stage_entered"?',
        'policy.yaml:5:5: unknown key "expirey", did you mean "expiry"?',
        'policy.yaml:6:12: a number from 0 to 1 is needed here',
        'policy.yaml:7:13: at least 1 items are needed here',
        'policy.yaml:8:3: "Bad Name" is not a name: lower-case letters, digits and _',
        'policy.yaml:9:9: needed here is one of stage_entered, scored',
        'policy.yaml:10:14: true or false is needed here',
        'policy.yaml:11:12: a time of day such as "21:30" is needed here',
        'policy.yaml:12:17: a mapping of names to values is needed here',
      ].join('\n'),
    );
  });

  it.each([
    ['    when: features.orders_cuont_7d > 1\n', '5:11'],
    ['    when: "true && features.orders_cuont_7d > 1"\n', '5:20'],
    ["    when: 'true && features.orders_cuont_7d > 1'\n", '5:20'],
    ['    when: |\n      true &&\n      features.orders_cuont_7d > 1\n', '7:7'],
    ['    when: >-\n      true\n      && true &&\n        features.orders_cuont_7d > 1\n', '8:9'],
    ['    when: true &&\n      features.orders_cuont_7d > 1\n', '6:7'],
  ])('places a problem within a condition: %j', (lines, place) => {
    const problems = problemsOf(`version: 1\nstrategies:\n  a:\n    on: scored\n${lines}`);
    expect(problems).toBe(
      `policy.yaml:${place}: unknown name "features.orders_cuont_7d", did you mean "features.orders_count_7d"?`,
    );
  });

  it.each([
    '',
    '- a',
    'a: b: c',
    'a: 1\na: 2',
    '\t',
    'version: !!binary x',
    '&a [*a]',
    'version: *x',
    'x'.repeat(300_000),
  ])('rejects %.20j and never throws', (file) => {
    expect(problemsOf(file)).toMatch(/^policy\.yaml:\d+:\d+: /);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            'version',
            'strategies',
            ': ',
            '\n',
            '  ',
            '- ',
            '1',
            '"',
            "'",
            '&a ',
            '*a',
            '{',
            '}',
            '|',
            '\0',
          ),
        ),
        (parts) => {
          parse(parts.join(''));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('findNearest', () => {
  it.each([
    ['strategys', 'strategies'],
    ['chanel', 'channel'],
    ['chnanel', 'channel'],
    ['xyz', undefined],
    ['x'.repeat(1_000), undefined],
  ])('%.20s -> %s', (word, nearest) => {
    expect(findNearest(word, ['strategies', 'channel', 'version'])).toBe(nearest);
  });

  it('measures a symmetric distance', () => {
    const word = fc.string({ maxLength: 8 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(toEditDistance(a, b)).toBe(toEditDistance(b, a));
        expect(toEditDistance(a, a)).toBe(0);
      }),
    );
  });
});
