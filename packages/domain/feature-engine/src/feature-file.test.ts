import { describe, expect, it } from '@jest/globals';
import { compileFeatures } from './compile.js';
import { requireFeatureFile } from './feature-file.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import { encodeFeatureSpec } from './spec-file.js';

const read = (text: string) => requireFeatureFile(Buffer.from(text), 'f.yaml');

function problemsOf(text: string): string[] {
  try {
    read(text);
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

const FILE = `
version: 1
events:
  orders: { type: track, names: [Order Completed, purchase] }
  large:
    type: track
    name: Order Completed
    where: properties.total > 50
measures:
  revenue: { kind: amount, properties: [revenue, total] }
features:
  orders_count_{window}:
    unit: orders
    aggregation: count
    event: orders
    windows: [7d, 720h, all]
  revenue_{aggregation}_{window}:
    unit: currency
    aggregations: [sum, mean]
    event: large
    where: |
      properties.coupon == null // none
      && properties.gift
    measure: revenue
    windows: [30d, all]
  refund_recency_days: { unit: days, aggregation: days_since_last, event: { type: track, name: Order Refunded } }
  events_all: { unit: events, aggregation: count, window: all }
`;

describe('a feature file in YAML', () => {
  it('names the second filter of a share as it names the first', () => {
    const file = (matching: string) => `
version: 1
events:
  orders: { type: track, name: Order Completed }
features:
  order_share_{window}: { unit: share, aggregation: share, matching: ${matching}, windows: [7d, all] }
`;
    const [definition] = read(file('orders')).definitions;
    expect(definition).toMatchObject({ name: 'order_share_7d', matching: { type: 'track', name: 'Order Completed' } });
    expect(problemsOf(file('order')).join()).toMatch(/there is no "order" among the events, did you mean "orders"/);
    expect(problemsOf(file('{ type: tracks }')).join()).toMatch(/:6:78: type: .*did you mean "track"/);
  });

  it('gives the definitions that the JSON of an artifact has', () => {
    const { definitions, rules } = read(FILE);
    expect(rules).toEqual({});
    expect(definitions.map(({ name }) => name)).toEqual([
      'orders_count_7d',
      'orders_count_720h',
      'orders_count_all',
      'revenue_sum_30d',
      'revenue_sum_all',
      'revenue_mean_30d',
      'revenue_mean_all',
      'refund_recency_days',
      'events_all',
    ]);
    const features = JSON.parse(encodeFeatureSpec(definitions).toString()).features as unknown[];
    expect(features[1]).toEqual({
      name: 'orders_count_720h',
      unit: 'orders',
      aggregation: 'count',
      event: { type: 'track', names: ['Order Completed', 'purchase'] },
      window: '30d',
    });
    expect(features[6]).toEqual({
      name: 'revenue_mean_all',
      unit: 'currency',
      aggregation: 'mean',
      event: {
        type: 'track',
        name: 'Order Completed',
        where: '(properties.total > 50) && (properties.coupon == null && properties.gift)',
      },
      measure: { kind: 'amount', properties: ['revenue', 'total'], absolute: false },
    });
  });

  it('gives the same from the bytes of the artifact', () => {
    const bytes = encodeFeatureSpec(ECOMMERCE_FEATURES, { repeatedOrders: 'each' });
    const { definitions, rules } = requireFeatureFile(bytes, 'f.json');
    expect(compileFeatures(definitions, rules).specHash).toBe(
      compileFeatures(ECOMMERCE_FEATURES, { repeatedOrders: 'each' }).specHash,
    );
    expect(read('version: 1\nrepeatedOrders: each\nfeatures: {x: {unit: x, aggregation: count}}').rules).toEqual({
      repeatedOrders: 'each',
    });
  });

  it('reports all problems at once, each once, with its place and what was meant', () => {
    const problems = problemsOf(`version: 1
event: {}
events:
  orders: { type: track, nme: Order Completed }
  odd: { type: track, where: "properties.a = 1" }
measures:
  revenue: { kind: amount, properties: [] }
features:
  orders_{window}:
    unit: orders
    aggregation: count
    event: orders
    windows: [7d, 900d, 30x]
  spend_{window}: { unit: currency, aggregation: sum, event: order, measure: revenue, windows: [7d, 30d] }
  spend: { unit: currency, aggregatoin: sum, measure: revenue }
  two: { unit: x, aggregation: count, windows: [7d, 30d] }
  three_{window}: { unit: x, aggregation: count }
  orders_7d: { unit: x, aggregation: count, window: 7d, windows: [1d] }
  orders_7d_: { unit: x, aggregation: count, where: "true" }
  large:
    unit: x
    aggregation: count
    event: { type: track }
    where: >-
      has(properties.a) &&
      property.b == 1
  list: [1]
`);
    expect(problems).toEqual([
      'f.yaml:2:1: event: is an unknown key',
      'f.yaml:4:26: nme: is an unknown key, did you mean "name"?',
      'f.yaml:5:44: where: not a CEL condition: Unexpected character: =',
      'f.yaml:7:40: properties: must be 1 to 16 different texts, it is []',
      'f.yaml:13:19: windows: must be from "1h" to "365d", it is "900d"',
      'f.yaml:13:25: windows: must be from "1h" to "365d", it is "30x"',
      'f.yaml:14:62: event: there is no "order" among the events, did you mean "orders"?',
      'f.yaml:15:28: aggregatoin: is an unknown key, did you mean "aggregation"?',
      'f.yaml:16:3: two: is one name for several features: it needs {window} for its "windows"',
      'f.yaml:17:3: three_{window}: has {window} in its name, but no "windows"',
      'f.yaml:18:45: window: cannot stand beside "windows"',
      'f.yaml:19:46: where: needs an "event" that it is a condition on',
      'f.yaml:26:7: where: unknown name "property.b", did you mean "properties.b"?',
      'f.yaml:27:3: list: must be a mapping of keys to values',
    ]);
  });

  it('checks features against each other after they are expanded', () => {
    const problems = problemsOf(`version: 1
features:
  x_{window}: { unit: x, aggregation: count, windows: [7d, 30d] }
  x_7d: { unit: x, aggregation: count }
  odd_{window}: { unit: x, aggregation: count, windows: [7 days] }
  all_{window}: { unit: x, aggregation: trend, windows: [all] }
`);
    expect(problems).toEqual([
      'f.yaml:4:3: x_7d: "x_7d" is the name of "x_{window}" already',
      'f.yaml:5:3: odd_{window}: must be small letters, digits and _, 64 at most, it is "odd_7 days"',
      'f.yaml:5:58: windows: must be from "1h" to "365d", it is "7 days"',
      'f.yaml:6:58: windows: is missing: this aggregation is for windows only',
    ]);
    expect(
      problemsOf(`version: 1
events: { orders: { type: track, name: o } }
measures: { paid: { kind: amount, properties: [paid] } }
features:
  a: { unit: currency, aggregation: sum, event: orders, measure: paid }
  b: { unit: points, aggregation: max, event: orders, measure: paid }
  c: { unit: share, aggregation: ratio, numerator: a, denominator: bb }
`),
    ).toEqual([
      'f.yaml:6:14: unit: "a" reads the same measure, so both must have the unit "currency", or neither',
      'f.yaml:7:68: denominator: there is no feature "bb", did you mean "b"?',
    ]);
  });

  it('finds filters that nothing passes', () => {
    const features = 'features:\n  x: { unit: x, aggregation: count, event: e, where: properties.a > 1 }\n';
    expect(problemsOf(`version: 1\nevents: { e: { type: trak } }\n${features}`)).toEqual([
      'f.yaml:2:22: type: no event is of the type "trak", so nothing passes this filter, did you mean "track"?',
    ]);
    expect(problemsOf(`version: 1\nevents: { e: { type: identify, name: a } }\n${features}`)).toEqual([
      'f.yaml:2:38: name: an event of the type identify has no name, so nothing passes this filter',
    ]);
    expect(problemsOf(`version: 1\nevents: { e: { type: track, where: properties.a < 0 } }\n${features}`)).toEqual([
      'f.yaml:4:54: where: no event can fulfil this condition',
    ]);
    const json = '{"version":1,"features":[{"name":"x","unit":"x","aggregation":"count","event":{"type":"trak"}}]}';
    expect(problemsOf(json)).toEqual([
      'f.yaml: features[0].event.type: no event is of the type "trak", so nothing passes this filter, did you mean "track"?',
    ]);
  });

  it.each<[string, string, string]>([
    ['empty', '', 'f.yaml:1:1: the spec: must be an object'],
    ['a list', '- a', 'f.yaml:1:1: the spec: must be an object'],
    ['no YAML', 'a: [', 'f.yaml:1:5: '],
    ['without features', 'version: 1\nfeatures: {}', 'f.yaml:2:11: features: must be a mapping of 1 or more features'],
    [
      'of another version',
      'version: 2\nfeatures: {a: {unit: x, aggregation: count}}',
      'f.yaml:1:10: version: must be 1',
    ],
    [
      'with features in a list',
      'version: 1\nfeatures: [a]',
      'f.yaml:2:11: features: must be a mapping of names to settings',
    ],
    ['with an alias of YAML', 'version: &a 1\nb: *a', 'f.yaml:2:4: aliases are not supported'],
    [
      'of too many features',
      `version: 1\nfeatures:\n${Array.from({ length: 20 }, (_, i) => `  f${i}_{window}: { unit: x, aggregation: count, windows: [${Array.from({ length: 13 }, (__, d) => `${d + 1}d`).join(', ')}] }`).join('\n')}`,
      'f.yaml:2:1: features: must be 256 features at most',
    ],
  ])('is not %s', (_, text, problem) => {
    expect(problemsOf(text)).toContainEqual(expect.stringContaining(problem));
  });
});

describe('features by currency', () => {
  it('have it in their filter, beside the converted amount', () => {
    const { definitions } = read(`version: 1
events: { orders: { type: track, name: Order Completed } }
measures: { revenue: { kind: amount, properties: [revenue] } }
features:
  orders_revenue_sum_{currency}_{window}:
    { unit: currency, aggregation: sum, event: orders, measure: revenue, windows: [30d, all], currencies: [EUR, JPY] }
  orders_count_eur: { unit: orders, aggregation: count, event: orders, currency: EUR }
  orders_revenue_sum_all: { unit: currency, aggregation: sum, event: orders, measure: revenue }
`);
    expect(definitions.map(({ name, event }) => [name, event?.currency])).toEqual([
      ['orders_revenue_sum_eur_30d', 'EUR'],
      ['orders_revenue_sum_jpy_30d', 'JPY'],
      ['orders_revenue_sum_eur_all', 'EUR'],
      ['orders_revenue_sum_jpy_all', 'JPY'],
      ['orders_count_eur', 'EUR'],
      ['orders_revenue_sum_all', undefined],
    ]);
    expect(requireFeatureFile(encodeFeatureSpec(definitions), 'f.json').definitions).toEqual(definitions);
    const spec = compileFeatures(definitions);
    const order = (messageId: string, worth: number, currency: string | undefined, rate: number | null) => ({
      ...{ messageId, type: 'track', name: 'Order Completed', timestampMs: 1_000, properties: {} },
      ...{ worth, rate, currency },
    });
    const bare = { ...order('d', 0, 'EUR', 1), worth: undefined, properties: { order_id: '7' } };
    const completed = { ...order('e', 3, 'EUR', 1), properties: { order_id: '7' } };
    const events = [order('a', 10, 'EUR', 1.1), order('b', 5, 'EUR', null), order('c', 900, 'JPY', 0.01)];
    const all = [...events, order('x', 7, undefined, 1), bare, completed];
    const state = all.reduce((before, event) => spec.apply(before, event).state, spec.empty);
    // What nobody could convert is in the sum of its own currency.
    const values = spec.toMap(spec.vector(state, 1_000).values);
    expect(values).toEqual({
      orders_revenue_sum_eur_30d: 18,
      orders_revenue_sum_jpy_30d: 900,
      orders_revenue_sum_eur_all: 18,
      orders_revenue_sum_jpy_all: 900,
      orders_count_eur: 3,
      orders_revenue_sum_all: 30,
    });
    expect(spec.units('CHF')).toMatchObject({ orders_revenue_sum_eur_all: 'EUR', orders_revenue_sum_all: 'CHF' });
    const taken = spec.retract(state, events[1] as (typeof events)[0]);
    expect(taken.cannot).toEqual([]);
    expect(spec.toMap(spec.vector(taken.state, 1_000).values)).toMatchObject({ orders_revenue_sum_eur_30d: 13 });
  });

  it('need an event, and a code', () => {
    const problems = problemsOf(`version: 1
features:
  a_{currency}: { unit: events, aggregation: count, currencies: [EUR] }
  b: { unit: events, aggregation: count, event: { type: track }, currency: euro }
  c_{currency}: { unit: events, aggregation: count, event: { type: track }, currencies: [EUR, usd] }
  d: { unit: events, aggregation: count, event: { type: track, currency: eur } }
`);
    const code = 'currency: must be a code of ISO 4217 in capitals, such as EUR, it is';
    expect(problems.map((problem) => problem.replace(/^f.yaml:(\d+):\d+: /, '$1 '))).toEqual([
      '3 a_{currency}: needs an "event" whose currency it is of',
      `4 ${code} "euro"`,
      `5 ${code.replace('currency', 'currencies')} "usd"`,
      `6 ${code} "eur"`,
    ]);
  });
});
