import { describe, expect, it } from '@jest/globals';
import { toConditionNames, toConditionValues } from './attributes.js';
import { compileFeatures } from './compile.js';
import { requireFeatureFile } from './feature-file.js';
import { describeMissingAttributes, FeatureSpecs } from './feature-specs.js';
import { ECOMMERCE_FEATURES } from './presets/ecommerce.js';
import { encodeFeatureSpec, parseFeatureSpec } from './spec-file.js';

const FEATURES = 'features: { events_all: { unit: events, aggregation: count, window: all } }';
const T0 = Date.UTC(2026, 0, 11);

function read(traits: string) {
  const { definitions, rules } = requireFeatureFile(Buffer.from(`version: 1\n${traits}\n${FEATURES}\n`), 'f.yaml');
  return { definitions, rules, spec: compileFeatures(definitions, rules) };
}

describe('the traits that a feature file declares', () => {
  it('are attributes in the order of their names, through the bytes of the artifact too', () => {
    const { definitions, rules, spec } = read(
      'traits: { plan: text, company.seats: number, vip: boolean, since: time }',
    );
    expect(toConditionNames(spec)).toEqual({
      featureNames: ['events_all'],
      attributes: [
        { name: 'traits.company.seats', kind: 'number' },
        { name: 'traits.plan', kind: 'string' },
        { name: 'traits.since', kind: 'number' },
        { name: 'traits.vip', kind: 'boolean' },
      ],
    });
    const parsed = parseFeatureSpec(encodeFeatureSpec(definitions, rules));
    expect(parsed.ok && compileFeatures(parsed.definitions, parsed.rules).specHash).toBe(spec.specHash);
  });

  it('stand beside what it declares of accounts', () => {
    const { definitions, rules, spec } = read(
      'traits: { plan: text }\naccount: { traits: { seats: number }, features: [events_all] }',
    );
    expect(toConditionNames(spec).attributes).toEqual([
      { name: 'account.events_all', kind: 'number' },
      { name: 'account.traits.seats', kind: 'number' },
      { name: 'traits.plan', kind: 'string' },
    ]);
    const parsed = parseFeatureSpec(encodeFeatureSpec(definitions, rules));
    expect(parsed.ok && compileFeatures(parsed.definitions, parsed.rules).specHash).toBe(spec.specHash);
    expect(() => read('account: { features: [evens_all], trait: {} }')).toThrow(
      'trait: is an unknown key, did you mean "traits"?',
    );
    expect(() => read('account: { features: [evens_all] }')).toThrow(
      'f.yaml:2:22: features: there is no feature "evens_all", did you mean "events_all"?',
    );
  });

  it('are part of the hash of the spec, and no part of it where there are none', () => {
    const hashes = ['traits: { plan: text }', 'traits: { plan: number }', 'traits: { tier: text }', ''].map(
      (traits) => read(traits).spec.specHash,
    );
    expect(new Set(hashes).size).toBe(4);
    expect(read('traits: {}').spec.specHash).toBe(hashes[3]);
    expect(compileFeatures(ECOMMERCE_FEATURES, { attributes: [] }).specHash).toBe(
      compileFeatures(ECOMMERCE_FEATURES).specHash,
    );
  });

  it('are reported with place and suggestion where they are wrong, all at once', () => {
    const many = Array.from({ length: 33 }, (_, index) => `t${index}: text`).join(', ');
    const problems = ['{ plan: txt, vip: bool, "": text }', '[plan]', `{ ${many} }`].map((traits) => {
      try {
        read(`traits: ${traits}`);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(problems[0]?.split('\n')).toHaveLength(3);
    expect(problems[0]).toContain(
      'f.yaml:2:17: plan: must be one of text, number, boolean, time, it is "txt", did you mean "text"?',
    );
    expect(problems[1]).toContain('traits: must be an object');
    expect(problems[2]).toContain('must be 32 traits at most');
  });

  it('are read as they are, a time as days since then', () => {
    const { spec } = read('traits: { plan: text, since: time }');
    expect(toConditionValues(spec.attributes, ['pro', T0 - 36 * 3_600_000], T0)).toEqual(['pro', 1.5]);
    expect(toConditionValues(spec.attributes, [null, T0 + 86_400_000], T0)).toEqual([null, -1]);
    expect(toConditionValues(spec.attributes, [], T0)).toEqual([]);
  });

  it('keep their values under another spec that has them with the same kind', () => {
    const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
    const [a, b] = ['{ plan: text, seats: number }', '{ plan: text, seats: text, zone: text }'].map((traits, index) => {
      const { definitions, rules } = read(`traits: ${traits}`);
      return specs.add(String(index), definitions, rules);
    }) as [typeof specs.initial, typeof specs.initial];
    const made = { specHash: a.specHash, attributes: ['pro', 3] };
    expect(specs.toAttributes(made, a)).toEqual(['pro', 3]);
    expect(specs.toAttributes(made, b)).toEqual(['pro', null, null]);
    expect(specs.toAttributes(made, specs.initial)).toEqual([]);
    expect(specs.toAttributes({ specHash: specs.initial.specHash, attributes: [] }, b)).toEqual([]);
    expect(describeMissingAttributes(a.attributes, b)).toBe('traits.seats (it is text there, not number)');
    expect(describeMissingAttributes(b.attributes, a)).toContain('traits.zone');
    expect(describeMissingAttributes(a.attributes, a)).toBeUndefined();
  });
});
