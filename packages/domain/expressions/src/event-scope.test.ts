import { describe, expect, it } from '@jest/globals';
import { canHold, compileCondition, declareEventVariables, toCanonicalCondition, toEventValues } from './index.js';

const CONTEXT_FIELDS = { '': ['locale'], device: ['type'], campaign: ['name'] };

function compile(source: string) {
  const variables = declareEventVariables(CONTEXT_FIELDS);
  return { variables, compiled: compileCondition(source, variables) };
}

function test(source: string, properties: unknown, context?: unknown): boolean {
  const { variables, compiled } = compile(source);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.problem.message}`);
  return compiled.condition.test(toEventValues({ properties, context }, variables));
}

function problemOf(source: string) {
  const { compiled } = compile(source);
  if (compiled.ok) throw new Error(`${source} was accepted`);
  return compiled.problem;
}

const PROPERTIES = {
  total: 60,
  plan: 'pro',
  gift: true,
  text: '60',
  items: [1],
  none: null,
  ship: { city: 'Ulm', zip: 89_073 },
  'a.b': 1,
  a: { b: 2 },
  __proto__: { total: 1 },
};

it('reports a condition about an event that throws, and takes it as false', () => {
  const failures: unknown[] = [];
  const variables = declareEventVariables(CONTEXT_FIELDS, { onEvaluationError: (failure) => failures.push(failure) });
  const compiled = compileCondition('properties.total > 50', variables);
  const hostile = new Proxy([], {
    get: () => {
      throw new Error('no values today');
    },
  });
  expect(compiled.ok && compiled.condition.test(hostile)).toBe(false);
  expect(failures).toMatchObject([{ source: 'properties.total > 50', error: { message: 'no values today' } }]);
});

describe('a condition about an event', () => {
  it.each([
    ['properties.total > 50', true],
    ['properties.total > 50 && properties.plan == "pro"', true],
    ['properties.gift', true],
    ['!properties.gift || properties.total < 1', false],
    ['properties.plan in ["free", "pro"]', true],
    ['properties.total in [1, 60]', true],
    ['properties.plan.startsWith("p")', true],
    ['properties.ship.city == "Ulm" && properties.ship.zip - 89000 < 100', true],
    ['properties["a.b"] == 1 && properties.a.b == 2', true],
    ['(properties.gift ? properties.total : 0) == 60', true],
    ['properties.total == properties.ship.zip', false],
    ['properties.total != properties.ship.zip', true],
    ['-properties.total < -5', true],
    // A value of another kind is missing, as one that is not there.
    ['properties.text > 50', false],
    ['properties.text != 50', false],
    ['properties.plan > 3', false],
    ['properties.plan == properties.total', false],
    ['properties.plan != properties.total', false],
    ['properties.gift < properties.gift', false],
    ['properties.items == null && properties.none == null && properties.ship == null', true],
    ['has(properties.nothing) || has(properties.items)', false],
    ['has(properties.gift) && properties.plan != null', true],
    ['properties.constructor == null && properties.__proto__.total == null', true],
    ['properties.plan.length == null', true],
    ['!(properties.nothing > 3)', true],
  ])('%s is %s', (source, expected) => {
    expect(test(source, PROPERTIES)).toBe(expected);
  });

  it.each([null, undefined, 7, 'x', []])('takes properties of %j for none', (properties) => {
    expect(test('properties.a == null', properties)).toBe(true);
  });

  it.each([
    [
      'context.ip == "x"',
      '"context.ip" is not carried with events; of the context there are context.locale, context.device.type, context.campaign.name',
      0,
    ],
    [
      'true && context.device.typ == "x"',
      '"context.device.typ" is not carried with events; of the context there are context.locale, context.device.type, context.campaign.name, did you mean "context.device.type"?',
      8,
    ],
    ['property.plan == "x"', 'unknown name "property.plan"', 0],
    ['true && plan == "x"', 'unknown name "plan"', 8],
    ['properties == null', '"properties" is a group of values; name one of them', 0],
    ['properties.a + 1', 'a condition must be true or false, this is a number', 0],
    ['properties.a == "x" && "y" > 3', 'a string and a number cannot be compared', 23],
    ['properties.a in ["x", 3]', 'a string cannot be in a list with a number', 22],
    [`properties${'.a'.repeat(9)} == 1`, 'properties are read 8 levels deep at most', 0],
  ])('%s is a problem', (source, message, start) => {
    expect(problemOf(source)).toMatchObject({ message, start });
  });

  it('reads the carried fields of the context', () => {
    const context = { locale: 'de', device: { type: 'ios', id: 'x' } };
    expect(test('context.device.type == "ios" && context.locale.startsWith("de")', {}, context)).toBe(true);
    expect(test('context.device.type == "ios"', { device: { type: 'ios' } }, {})).toBe(false);
    expect(test('context.campaign.name == null && properties.a == 1', { a: 1 })).toBe(true);
  });

  it('names what was most likely meant', () => {
    expect(problemOf('property.plan == "x"').suggestion).toBe('properties.plan');
  });

  it('reads a bounded number of properties', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `properties.p${i} == 1`).join(' || ');
    expect(compile(many(16)).compiled.ok).toBe(true);
    expect(problemOf(many(17)).message).toBe('a condition reads 16 values at most');
  });

  it.each([
    ['properties.plan == "a" && properties.plan == "b"', false],
    ['properties.plan == "a" && properties.plan > 3', false],
    ['properties.total > 5 && properties.total < 5', false],
    ['properties.total >= 5 && properties.total <= 5', true],
    ['properties.total > 5 && properties.total < 6', true],
    ['properties.plan > "a" && properties.plan < "b"', true],
    ['properties.plan in ["a"] && properties.plan != "a"', false],
    ['properties.total < -3', true],
    ['properties.gift == true && !properties.gift', false],
    ['has(properties.a) && properties.a == null', false],
    ['false', false],
    ['1 > 2', false],
    // More than comparisons with literals: nobody says.
    ['properties.total + 1 < properties.total', true],
  ])('%s can hold: %s', (source, expected) => {
    const { variables, compiled } = compile(source);
    expect(compiled.ok && canHold(compiled.condition, variables)).toBe(expected);
  });
});

describe('the text of a condition', () => {
  it.each([
    ['  properties.a\n    == "x  y" // why\n  && true ', 'properties.a == "x  y" && true'],
    ["properties.a == 'it\\'s  '", "properties.a == 'it\\'s  '"],
    ['properties.a == "http://x"', 'properties.a == "http://x"'],
    [' properties.a  == r"a  \\" ', 'properties.a  == r"a  \\"'],
    [' properties.a  == """x  y""" ', 'properties.a  == """x  y"""'],
    ['properties.for  == "x"', 'properties.for == "x"'],
  ])('%j is hashed as %j', (source, expected) => {
    expect(toCanonicalCondition(source)).toBe(expected);
    expect(toCanonicalCondition(expected)).toBe(expected);
  });
});
