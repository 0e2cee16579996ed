import { describe, expect, it } from '@jest/globals';
import { formatProblems } from '@perennial/expressions';
import fc from 'fast-check';
import { parseTrackingPlan } from './plan-file.js';
import type { TrackingPlan } from './tracking-plan.js';

function read(content: string): TrackingPlan {
  const parsed = parseTrackingPlan(content, { fileName: 'plan.yaml' });
  if (!parsed.ok) throw new Error(formatProblems(parsed.problems));
  return parsed.value;
}

function problemsOf(content: string): string[] {
  const parsed = parseTrackingPlan(content, { fileName: 'plan.yaml' });
  return parsed.ok ? [] : formatProblems(parsed.problems).split('\n');
}

const SHOP = `
version: 1
personal: [e-mail]
$defs:
  price: { type: number, minimum: 0 }
  address:
    type: object
    properties:
      street: { type: string, personal: true }
      city: { type: string }
track:
  Order Completed:
    onViolation: reject
    schema:
      required: [order_id]
      properties:
        order_id: { type: string, pattern: "^[0-9]+$" }
        revenue: { $ref: "#/$defs/price" }
        shipping: { $ref: "#/$defs/address" }
        placed: { format: date }
        lines: { items: { properties: { note: { personal: true }, price: { $ref: "#/$defs/price" } } } }
      additionalProperties: false
  Seen: {}
identify:
  schema:
    properties:
      plan: { enum: [free, pro], personal: false }
      company: { personal: true, properties: { size: { personal: false } } }
`;

describe('a tracking plan', () => {
  const plan = read(SHOP);

  it('names each field that is wrong, by its reason', () => {
    const properties = {
      order_id: 'A1',
      revenue: -1,
      coupon: 'x',
      placed: '2026-02-30',
      lines: [{ price: 1 }, { price: 'two' }],
    };
    const { violations, isRejected } = plan.judge({ type: 'track', name: 'Order Completed' }, properties);
    expect(isRejected).toBe(true);
    expect(violations.map(({ path, reason }) => `${path} ${reason}`).sort()).toEqual([
      '/coupon unplanned_property',
      '/lines/1/price wrong_type',
      '/order_id wrong_value',
      '/placed wrong_value',
      '/revenue wrong_value',
    ]);
    const [missing] = plan.judge({ type: 'track', name: 'Order Completed' }, {}).violations;
    expect(missing).toEqual({ reason: 'missing', path: '/order_id', message: '/order_id is missing' });
  });

  it('accepts what it does not name unless it says otherwise', () => {
    const unplanned = { reason: 'unplanned_event', path: '', message: 'the plan has no event "Odd"' };
    expect(plan.judge({ type: 'track', name: 'Odd' }, {})).toMatchObject({
      isRejected: false,
      violations: [unplanned],
    });
    expect(plan.judge({ type: 'track', name: 'Seen' }, { any: 1 })).toMatchObject({ violations: [] });
    expect(plan.judge({ type: 'page', name: '' }, {})).toMatchObject({ violations: [] });
    const strict = read('version: 1\nonViolation: reject\ntrack: {A: {onViolation: accept}}');
    expect(strict.judge({ type: 'track', name: 'Odd' }, {}).isRejected).toBe(true);
    const lenient = read('version: 1\nonViolation: reject\nunplannedEvents: ignore');
    expect(lenient.judge({ type: 'track', name: 'Odd' }, {})).toMatchObject({ isRejected: false, violations: [] });
  });

  it('takes out personal fields wherever they stand, and leaves the rest as it is', () => {
    const properties = {
      order_id: '1',
      shipping: { street: 'Elm', city: 'Kyoto' },
      lines: [{ note: 'for Ann', price: 1 }, { price: 2 }],
      E_Mail: 'a@b.c',
    };
    const event = { type: 'track', name: 'Order Completed' } as const;
    const { properties: left, count } = plan.withhold(event, properties);
    expect(left).toEqual({ order_id: '1', shipping: { city: 'Kyoto' }, lines: [{ price: 1 }, { price: 2 }] });
    expect(count).toBe(3);
    const clean = { order_id: '1' };
    expect(plan.withhold(event, clean)).toEqual({ properties: clean, count: 0 });
    expect(plan.withhold(event, clean).properties).toBe(clean);
    const hostile = JSON.parse('{"__proto__": {"email": 1}, "a": {"constructor": {"email": 2}}}');
    const { properties: kept } = plan.withhold({ type: 'track', name: 'Odd' }, hostile);
    expect(JSON.stringify(kept)).toBe('{"__proto__":{},"a":{"constructor":{}}}');
  });

  it('does not take what every object inherits for a property', () => {
    const strict = read(
      'version: 1\ntrack: {A: {schema: {required: [constructor, __proto__], properties: {a: {type: string}}}}}',
    );
    const event = { type: 'track', name: 'A' } as const;
    expect(strict.judge(event, {}).violations.map(({ path }) => path)).toEqual(['/constructor', '/__proto__']);
    expect(strict.judge(event, JSON.parse('{"constructor":1,"__proto__":2}')).violations).toEqual([]);
    expect(strict.judge({ type: 'track', name: 'constructor' }, {}).violations).toHaveLength(1);
  });

  it('judges and withholds from any JSON without throwing, and leaves no personal field', () => {
    const json = fc.dictionary(
      fc.constantFrom('order_id', 'shipping', 'lines', 'email', 'x'),
      fc.jsonValue({ maxDepth: 4 }),
    );
    fc.assert(
      fc.property(json, fc.constantFrom('Order Completed', 'Odd', ''), (properties, name) => {
        const event = { type: 'track', name } as const;
        const before = JSON.stringify(properties);
        const { violations } = plan.judge(event, properties);
        expect(violations.length).toBeLessThanOrEqual(8);
        const { properties: left, count } = plan.withhold(event, properties);
        expect(plan.withhold(event, left)).toEqual({ properties: left, count: 0 });
        expect(count === 0).toBe(left === properties);
        expect(JSON.stringify(properties)).toBe(before);
      }),
      { numRuns: 1_000, seed: 27 },
    );
  });

  it('says which traits are personal', () => {
    expect(plan.isPersonalTrait('identify', ['plan'])).toBe(false);
    expect(plan.isPersonalTrait('identify', ['company', 'size'])).toBe(true);
    expect(plan.isPersonalTrait('identify', ['shoe'])).toBeUndefined();
    expect(plan.isPersonalTrait('group', ['plan'])).toBeUndefined();
    expect(plan.isPersonalTrait('group', ['owner', 'e_mail'])).toBe(true);
  });

  it('tells eight mistakes of an event at most, in time that does not depend on the patterns', () => {
    const many = read(
      'version: 1\ntrack: {A: {schema: {properties: {l: {items: {type: string, pattern: "^(a+)+$"}}}}}}',
    );
    const l = [...Array.from({ length: 9_000 }, () => 7), `${'a'.repeat(4_000)}b`];
    const startedAtMs = Date.now();
    expect(many.judge({ type: 'track', name: 'A' }, { l }).violations).toHaveLength(8);
    expect(Date.now() - startedAtMs).toBeLessThan(2_000);
  });
});

describe('a bad tracking plan', () => {
  it('lists all problems at once, each with its place and the likely correction', () => {
    const content = `
version: 1
onViolation: refuse
track:
  A:
    schema:
      requird: [x]
      properties:
        a: { type: strin }
        b: { pattern: "(?=a)" }
        c: { $ref: "https://example.com/x" }
        d: { $ref: "#/$defs/prise" }
        e: { format: uuidd }
        f: { uniqueItems: true }
        g: { anyOf: [{ personal: true }] }
$defs:
  price: { minimum: cheap }
  loop: { properties: { again: { $ref: "#/$defs/loop" } } }
`;
    const problems = problemsOf(content);
    expect(problems).toEqual(['plan.yaml:3:14: "refuse" is not one of accept, reject']);
    const inForm = problemsOf(content.replace('refuse', 'reject'));
    for (const wanted of [
      /^plan.yaml:7:7: unknown keyword "requird", did you mean "required"\?/,
      /^plan.yaml:9:14: a type is one of .*, did you mean "string"\?/,
      /^plan.yaml:10:14: no pattern of RE2/,
      /^plan.yaml:11:14: a reference is local/,
      /^plan.yaml:12:14: there is no "prise" in \$defs, did you mean "price"\?/,
      /^plan.yaml:13:14: a format is one of date, .*, did you mean "uuid"\?/,
      /^plan.yaml:14:14: uniqueItems is not supported/,
      /^plan.yaml:15:24: personal is said of one field/,
      /^plan.yaml:17:12: minimum must be number/,
      /^plan.yaml:18:34: "loop" leads back to itself/,
    ]) {
      expect(inForm).toContainEqual(expect.stringMatching(wanted));
    }
  });

  it.each([
    ['version: 2', /whole number from 1 to 1/],
    ['version: 1\ntrack: {"": {}}', /an event's name/],
    ['version: 1\npersonal: ["--"]', /no name of a field/],
    ['version: 1\n$defs: 7', /\$defs is a mapping/],
    ['version: 1\n$defs: {"a.b": {}}', /is no name/],
    ['version: 1\ntrack: {A: {schema: [1]}}', /a JSON Schema is needed/],
    [
      'version: 1\ntrack: {A: {schema: {required: [x], properties: {y: {}}, additionalProperties: false}}}',
      /no property may/,
    ],
    ['version: 1\ntrack: {A: {schema: {pattern: "[a-z]{1,900}"}}}', /too large/],
    [
      'version: 1\n$defs: {p: {properties: {a: {personal: true}}}}\ntrack: {A: {schema: {not: {$ref: "#/$defs/p"}}}}',
      /not below a choice/,
    ],
    ['version: 1\ntrack: {A: {schema: {if: {type: object}, minContains: 1}}}', /no JSON Schema|if/],
  ])('%s', (content, problem) => {
    expect(problemsOf(content).join('\n')).toMatch(problem);
  });

  it('does not grow by references to references', () => {
    const defs = Array.from(
      { length: 40 },
      (_, n) => `  d${n}: {allOf: [{$ref: "#/$defs/d${n + 1}"}, {$ref: "#/$defs/d${n + 1}"}]}`,
    );
    const content = `version: 1\n$defs:\n${defs.join('\n')}\n  d40: {type: object}\n`;
    const startedAtMs = Date.now();
    expect(problemsOf(content).join('\n')).toMatch(/schemas in this one/);
    expect(Date.now() - startedAtMs).toBeLessThan(2_000);
  });
});
