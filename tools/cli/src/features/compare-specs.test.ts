import { describe, expect, it } from '@jest/globals';
import { compileFeatures, ECOMMERCE_FEATURES, type FeatureDefinition } from '@perennial/feature-engine';
import { compareSpecs } from './compare-specs.js';

const [first, second, third] = ECOMMERCE_FEATURES as [FeatureDefinition, FeatureDefinition, FeatureDefinition];

describe('comparing two specs', () => {
  it('tells added, removed, changed and kept features apart, in the order of the later spec', () => {
    const renamed = { ...third, name: 'another' };
    const redefined = { ...third, name: second.name };
    const before = compileFeatures([first, second, third]);
    const after = compileFeatures([renamed, redefined, first]);
    expect(compareSpecs(before, after)).toEqual([
      { name: 'another', change: 'added' },
      { name: second.name, change: 'changed' },
      { name: first.name, change: 'kept' },
      { name: third.name, change: 'removed' },
    ]);
  });

  it('finds no change in a spec and itself', () => {
    const spec = compileFeatures(ECOMMERCE_FEATURES);
    expect(new Set(compareSpecs(spec, spec).map(({ change }) => change))).toEqual(new Set(['kept']));
  });
});
