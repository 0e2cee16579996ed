import { describe, expect, it } from '@jest/globals';
import { BREAKAGES, selectBreakage } from './breakages.js';
import { selectFaults } from './faults/index.js';
import { expectToFit } from './patches-test-kit.js';

describe.each(BREAKAGES)('the breakage $name', ({ name, faults, patches }) => {
  it('fits the built modules', () => expectToFit(patches));

  it('is found by its name, and names faults that there are', () => {
    expect(selectBreakage(name).patches).toBe(patches);
    expect(selectFaults(faults)).toHaveLength(faults.length);
  });
});

describe('selectBreakage', () => {
  it('lists what there is when asked for what there is not', () => {
    expect(() => selectBreakage('none')).toThrow(/no such breakage: none; there are .*offset-not-checked/);
  });
});
