import { describe, expect, it } from '@jest/globals';
import { selectFaults } from './faults/index.js';
import { MUTANTS, selectMutant } from './mutants.js';
import { expectToFit } from './patches-test-kit.js';

describe.each(MUTANTS)('the mutant $name', ({ name, faults, patches }) => {
  it('fits the built modules', () => expectToFit(patches));

  it('is found by its name, and names faults that there are', () => {
    expect(selectMutant(name).patches).toBe(patches);
    expect(selectFaults(faults)).toHaveLength(faults.length);
  });
});

describe('selectMutant', () => {
  it('lists what there is when asked for what there is not', () => {
    expect(() => selectMutant('none')).toThrow(/no such mutant: none; there are .*offset-not-checked/);
  });
});
