import { describe, expect, it } from '@jest/globals';
import { createRatioTest } from './ratio.js';

describe('createRatioTest', () => {
  it('counts, and gives no alarm for the sizes that weights say', () => {
    const test = createRatioTest([3, 1]);
    for (let person = 0; person < 4_000; person += 1) test.add(person % 4 === 0 ? 1 : 0);
    expect(test.state()).toMatchObject({ counts: [3_000, 1_000], isMismatch: false });
  });

  it('remembers an alarm after the sizes have recovered, and is not changed by being looked at', () => {
    const test = createRatioTest([1, 1]);
    const looked = createRatioTest([1, 1]);
    for (let person = 0; person < 6_000; person += 1) {
      for (const one of [test, looked]) one.add(person < 3_000 ? 0 : 1);
      looked.state();
    }
    expect(test.state().isMismatch).toBe(true);
    expect(looked.state().pValue).toBeCloseTo(test.state().pValue, 12);
  });

  it('does not overflow over many persons, of whom all are in one arm', () => {
    const test = createRatioTest([1, 1]);
    for (let person = 0; person < 50_000; person += 1) test.add(0);
    expect(test.state()).toMatchObject({ pValue: 0, isMismatch: true });
  });
});
