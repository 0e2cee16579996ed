import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileCondition, declareVariables, type Value } from './index.js';

const VARIABLES = declareVariables([
  { name: 'features.orders_count_7d', kind: 'number' },
  { name: 'features.orders_recency_days', kind: 'number' },
  { name: 'scores.churn', kind: 'number' },
  { name: 'profile.stage', kind: 'string' },
  { name: 'event.name', kind: 'string' },
  { name: 'event.late', kind: 'boolean' },
]);

function test(source: string, values: readonly Value[]): boolean {
  const compiled = compileCondition(source, VARIABLES);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.problem.message}`);
  return compiled.condition.test(values);
}

function problemOf(source: string) {
  const compiled = compileCondition(source, VARIABLES);
  if (compiled.ok) throw new Error(`${source} was accepted`);
  return compiled.problem;
}

const VALUES = [3, 45.5, 0.7, 'new', 'Order Completed', true];
const MISSING = [null, Number.NaN, undefined, null, null, null];

describe('a condition', () => {
  it.each([
    ['features.orders_count_7d >= 3', true],
    ['features.orders_count_7d == 3', true],
    ['features.orders_count_7d * 2 > 5.5', true],
    ['features.orders_count_7d / 2 == 1.5', true],
    ['-features.orders_count_7d < 0 && features.orders_recency_days % 2 < 2', true],
    ['features.orders_count_7d in [1, 2, 3]', true],
    ['features["orders_count_7d"] + 1 == 4', true],
    ['profile.stage in ["active", "new"]', true],
    ['profile.stage == "old" || scores.churn > 0.5', true],
    ['scores.churn > 0.9 ? true : profile.stage == "new"', true],
    ['event.name.startsWith("Order") && !event.name.contains("Refund") && event.name.endsWith("ed")', true],
    ['event.late && event.late == true', true],
    ['has(scores.churn) && scores.churn != null', true],
    ['scores.churn == null', false],
    ['"a" < "b"', true],
    ['true', true],
  ])('%s is %s', (source, expected) => {
    expect(test(source, VALUES)).toBe(expected);
  });

  it.each([
    ['features.orders_count_7d > 3', false],
    ['features.orders_count_7d <= 3', false],
    ['features.orders_count_7d == 3', false],
    ['features.orders_count_7d != 3', false],
    ['!(features.orders_count_7d > 3)', true],
    ['features.orders_recency_days + 1 > 0', false],
    ['features.orders_count_7d in [0, 1]', false],
    ['profile.stage != "new"', false],
    ['event.name.contains("")', false],
    ['event.late', false],
    ['!event.late', true],
    ['has(features.orders_count_7d)', false],
    ['features.orders_recency_days == null', true],
    ['features.orders_count_7d == features.orders_recency_days', false],
  ])('with every value missing, %s is %s', (source, expected) => {
    expect(test(source, MISSING)).toBe(expected);
  });

  it('takes arithmetic without a finite result for missing', () => {
    expect(test('features.orders_count_7d / 0 > 0', VALUES)).toBe(false);
    expect(test('(features.orders_count_7d / 0) == null', VALUES)).toBe(true);
  });

  it('takes a value of another kind than declared for missing', () => {
    expect(test('has(scores.churn)', [0, 0, '0.9', 'new'])).toBe(false);
  });

  it('says which variables it reads', () => {
    const compiled = compileCondition(
      'scores.churn > 1 && (features.orders_count_7d > 1 || scores.churn < 2)',
      VARIABLES,
    );
    expect(compiled.ok && compiled.condition.reads).toEqual(['scores.churn', 'features.orders_count_7d']);
  });

  it('is false, and reported, when evaluation throws', () => {
    const hostile = new Proxy([] as Value[], {
      get: () => {
        throw new Error('no values today');
      },
    });
    const failures: string[] = [];
    const variables = declareVariables(VARIABLES.variables, {
      onEvaluationError: ({ source, error }) => failures.push(`${source}: ${(error as Error).message}`),
    });
    const compiled = compileCondition('scores.churn > 0', variables);
    expect(compiled.ok && compiled.condition.test(hostile)).toBe(false);
    expect(failures).toEqual(['scores.churn > 0: no values today']);
  });
});

describe('a wrong condition', () => {
  it.each([
    ['features.orders_cuont_7d > 1', 'unknown name', 0, 'features.orders_count_7d'],
    ['true && score.churn > 1', 'unknown name', 8, 'scores.churn'],
    ['churn > 1', 'unknown name', 0, undefined],
    ['hass(scores.churn)', 'unknown function', 0, 'has'],
    ['event.name.startWith("x")', 'unknown function', 0, 'startsWith'],
  ])('%s: %s at %d, nearest %s', (source, message, start, suggestion) => {
    const problem = problemOf(source);
    expect(problem.message).toContain(message);
    expect(problem.start).toBe(start);
    expect(problem.suggestion).toBe(suggestion);
  });

  it.each([
    ['scores.churn', 'must be true or false'],
    ['scores.churn > "high"', 'cannot be compared'],
    ['scores.churn > null', 'null has no order'],
    ['scores > 1', 'is a group of values'],
    ['profile.stage + 1 > 2', 'a number is needed'],
    ['scores.churn && true', 'true or false is needed'],
    ['scores.churn > ', 'not a CEL condition'],
    ['profile.stage in ["a", 1]', 'cannot be in a list'],
    ['[1, 2].exists(x, x > 1)', 'unknown function'],
    ['{"a": 1} == 2', 'not part of'],
    ['__proto__.x == 1', 'Reserved identifier'],
    ['features.__proto__ == 1', 'unknown name'],
    ['event.name.constructor("x")', 'unknown function'],
    [`${'('.repeat(5000)}`, 'at most'],
  ])('%.40s: %s', (source, message) => {
    expect(problemOf(source).message).toContain(message);
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (source) => {
        compileCondition(source, VARIABLES);
      }),
      { numRuns: 500 },
    );
  });
});

/** Random conditions, each with the result of a naive implementation of the rules. */
const comparison = fc
  .record({
    left: fc.constantFrom(0, 1, 2),
    op: fc.constantFrom('==', '!=', '<', '<=', '>', '>='),
    right: fc.integer({ min: -3, max: 3 }),
  })
  .map(({ left, op, right }) => ({
    source: `${VARIABLES.variables[left]?.name} ${op} ${right}`,
    holds: (values: readonly (number | null)[]) => {
      const value = values[left];
      if (value === null || value === undefined) return false;
      const answers = {
        '==': value === right,
        '!=': value !== right,
        '<': value < right,
        '<=': value <= right,
        '>': value > right,
        '>=': value >= right,
      };
      return answers[op as keyof typeof answers];
    },
  }));
type Sample = { source: string; holds: (values: readonly (number | null)[]) => boolean };
const { logic } = fc.letrec<{ logic: Sample }>((tie) => ({
  logic: fc.oneof(
    { maxDepth: 4 },
    comparison,
    tie('logic').map((inner): Sample => ({ source: `!(${inner.source})`, holds: (values) => !inner.holds(values) })),
    fc.tuple(tie('logic'), tie('logic')).map(
      ([a, b]): Sample => ({
        source: `(${a.source}) && (${b.source})`,
        holds: (values) => a.holds(values) && b.holds(values),
      }),
    ),
    fc.tuple(tie('logic'), tie('logic')).map(
      ([a, b]): Sample => ({
        source: `(${a.source}) || (${b.source})`,
        holds: (values) => a.holds(values) || b.holds(values),
      }),
    ),
  ),
}));

describe('compiled conditions', () => {
  it('agree with the naive reading', () => {
    const value = fc.option(fc.integer({ min: -3, max: 3 }));
    fc.assert(
      fc.property(logic, fc.tuple(value, value, value), (sample, values) => {
        expect(test(sample.source, values)).toBe(sample.holds(values));
      }),
      { numRuns: 300 },
    );
  });
});
