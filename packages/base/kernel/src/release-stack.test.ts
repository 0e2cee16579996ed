import { describe, expect, it } from '@jest/globals';
import { ReleaseStack } from './release-stack.js';

describe('ReleaseStack', () => {
  it('releases in reverse, once, each even when another fails', async () => {
    const released: string[] = [];
    const stack = new ReleaseStack();
    stack.push('first', () => void released.push('first'));
    stack.push('second', () => {
      throw new Error('stuck');
    });
    await stack.acquire(
      'third',
      async () => 3,
      (value) => void released.push(`third ${value}`),
    );
    await expect(Promise.all([stack.dispose(), stack.dispose()])).rejects.toThrow(AggregateError);
    expect(released).toEqual(['third 3', 'first']);
  });
});
