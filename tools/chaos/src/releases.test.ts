import { describe, expect, it } from '@jest/globals';
import { PROCESSOR_NAMES } from '@perennial/contracts';
import { expectToFit } from './patches-test-kit.js';
import { RELEASES, toPresentState } from './releases.js';

describe.each(PROCESSOR_NAMES)('the next releases of %s', (processor) => {
  const { reads, writes } = RELEASES[processor];

  it('fit the built modules', () => {
    expectToFit(reads);
    expectToFit([...reads, ...writes]);
  });
});

describe('a state of the release after the next', () => {
  it.each([
    ['feature-store', Buffer.of(2, 9, 8, 7), Buffer.of(1, 9, 8)],
    ['scoring', Buffer.of(2, 9, 8, 7), Buffer.of(1, 9, 8)],
    ['action', Buffer.of(4, 9, 8, 7), Buffer.of(3, 9, 8)],
  ] as const)('of %s is compared as the present one writes it, which stays as it is', (processor, newer, present) => {
    expect(toPresentState(processor, newer)).toEqual(present);
    expect(toPresentState(processor, present)).toEqual(present);
  });
});
