import { describe, expect, it } from '@jest/globals';
import { listFirst } from './list-first.js';

describe('listFirst', () => {
  it('keeps the first of many and counts the rest', () => {
    expect(listFirst(['a', 'b'], 2)).toEqual(['a', 'b']);
    expect(listFirst(['a', 'b', 'c'], 1)).toEqual(['a', 'and 2 more']);
  });
});
