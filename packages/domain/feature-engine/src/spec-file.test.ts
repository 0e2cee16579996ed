import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { toSha256 } from '@perennial/kernel';
import { compileFeatures } from './compile.js';
import { AGGREGATIONS, FEATURES_MAX } from './definition.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import { encodeFeatureSpec, parseFeatureSpec, SPEC_BYTES_MAX } from './spec-file.js';

const ORDER = { type: 'track', name: 'Order Completed' };
const AMOUNT = { kind: 'amount', properties: ['revenue'] };
const FINE = { name: 'orders', unit: 'orders', aggregation: 'count', event: ORDER, window: '30d' };

describe('a feature spec as a file', () => {
  it('gives back the preset, and the same bytes for it', () => {
    const bytes = encodeFeatureSpec(ECOMMERCE_FEATURES);
    const parsed = parseFeatureSpec(bytes);
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
    expect(compileFeatures(parsed.definitions).specHash).toBe(compileFeatures(ECOMMERCE_FEATURES).specHash);
    expect(encodeFeatureSpec(parsed.definitions).equals(bytes)).toBe(true);
    // The artifact of the preset, which a new namespace has in force.
    expect(toSha256(bytes)).toBe('211a2e8343758ebfc44233773d14940579915b54392993a1ce981214ffaeae53');
  });

  it('ships as the file that a new namespace begins with', () => {
    const parsed = parseFeatureSpec(readFileSync(join(__dirname, '../../../../infra/defaults/features.json')));
    expect(parsed.ok && encodeFeatureSpec(parsed.definitions).equals(encodeFeatureSpec(ECOMMERCE_FEATURES))).toBe(true);
  });

  it('is canonical however it was typed', () => {
    const typed = toBytes([{ ...swap(FINE), window: '720h', event: swap(ORDER) }]);
    const parsed = parseFeatureSpec(typed);
    if (!parsed.ok) throw new Error(parsed.problems.join('\n'));
    expect(encodeFeatureSpec(parsed.definitions).toString()).toBe(
      '{"features":[{"aggregation":"count","event":{"name":"Order Completed","type":"track"},"name":"orders","unit":"orders","window":"30d"}],"version":1}',
    );
  });

  it('reports all that is wrong with it at once, with where it stands', () => {
    const problems = problemsOf([
      { ...FINE, windows: '7d' },
      { ...FINE, name: 'Orders!', window: '366d' },
      FINE,
      {
        name: 'spend',
        unit: 'currency',
        aggregation: 'sum',
        event: { type: 'track', nam: 'x' },
        measure: { kind: 'id' },
      },
      { name: 'items', unit: 'items', aggregation: 'distinct', measure: { kind: 'id', properties: [] } },
      { name: 'gap', unit: 'days', aggregation: 'gap_mean', window: '7d' },
      { name: 'what', unit: 'x', aggregation: 'median' },
      7,
    ]);
    expect(problems).toEqual([
      'features[0].windows: is an unknown key',
      'features[1].name: must be small letters, digits and _, 64 at most, it is "Orders!"',
      'features[1].window: must be from "1h" to "365d", it is "366d"',
      'features[3].event.nam: is an unknown key, did you mean "name"?',
      'features[3].measure.kind: must be "amount", it is "id"',
      'features[3].measure.properties: must be 1 to 16 different texts, it is missing',
      'features[4].measure.properties: must be 1 to 16 different texts, it is []',
      'features[5].window: is an unknown key',
      `features[6].aggregation: must be one of ${AGGREGATIONS.join(', ')}, it is "median", did you mean "mean"?`,
      'features[7]: must be an object',
      'features[7].name: must be small letters, digits and _, 64 at most, it is missing',
      'features[7].unit: must be small letters, digits and _, 32 at most, it is missing',
      `features[7].aggregation: must be one of ${AGGREGATIONS.join(', ')}, it is missing`,
      'features[2].name: "orders" is the name of features[0] already',
    ]);
  });

  it.each(['0d', '1', '30 d', '30m', '1.5d', '-1d', '366d', '8761h', '', null, 30, '01d'])(
    'has no window of %j',
    (window) => {
      expect(problemsOf([{ ...FINE, window }])).toEqual([expect.stringContaining('features[0].window: must be from')]);
    },
  );

  it.each<[string, Buffer, string]>([
    ['no JSON', Buffer.from('{"version":'), 'not JSON: '],
    ['a list', Buffer.from('[]'), 'the spec: must be an object'],
    ['another version', Buffer.from('{"version":2,"features":[]}'), 'version: must be 1, it is 2'],
    [
      'too many features',
      toBytes(Array.from({ length: FEATURES_MAX + 1 }, (_, i) => ({ ...FINE, name: `f${i}` }))),
      '257',
    ],
    ['too many bytes', Buffer.alloc(SPEC_BYTES_MAX + 1), 'has 1048576 bytes at most'],
  ])('is not %s', (_, bytes, problem) => {
    const parsed = parseFeatureSpec(bytes);
    expect(parsed.ok ? [] : parsed.problems).toContainEqual(expect.stringContaining(problem));
  });

  it('takes a property by any name for data', () => {
    const measure = { ...AMOUNT, properties: ['__proto__', 'constructor'] };
    expect(problemsOf([{ ...FINE, aggregation: 'sum', measure }])).toEqual([]);
    expect(problemsOf([JSON.parse('{"name":"x","unit":"x","aggregation":"count","__proto__":1}')])).toContain(
      'features[0].__proto__: is an unknown key',
    );
  });
});

function toBytes(features: readonly unknown[]): Buffer {
  return Buffer.from(JSON.stringify({ version: 1, features }, null, 2));
}

function problemsOf(features: readonly unknown[]): readonly string[] {
  const parsed = parseFeatureSpec(toBytes(features));
  return parsed.ok ? [] : parsed.problems;
}

function swap<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).reverse()) as T;
}
