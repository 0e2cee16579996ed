import { describe, expect, it } from '@jest/globals';
import { selectFaults } from './faults/index.js';
import { MUTANT_NAMES, MUTANTS, parseMutantName } from './mutants.js';

describe.each(MUTANT_NAMES)('the mutant %s', (name) => {
  it('is found by its name, and names faults that there are', () => {
    const { faults } = MUTANTS[parseMutantName(name)];
    expect(selectFaults(faults)).toHaveLength(faults.length);
  });
});

describe('parseMutantName', () => {
  it('lists what there is when asked for what there is not', () => {
    expect(() => parseMutantName('none')).toThrow(/no such mutant: none; there are .*offset-not-checked/);
  });
});
