import { describe, expect, it } from '@jest/globals';
import { createContentKeeper } from './content-keeper.js';

describe('a content keeper', () => {
  it('reads each content once, also for those who ask together', async () => {
    const reads: string[] = [];
    const keep = createContentKeeper(
      async (hash) => {
        reads.push(hash);
        return hash.toUpperCase();
      },
      { kind: 'policy', entriesMax: 2 },
    );
    expect(await Promise.all([keep('a'), keep('b'), keep('a')])).toEqual(['A', 'B', 'A']);
    await keep('a');
    expect(reads).toEqual(['a', 'b']);
    await keep('c');
    await keep('b');
    expect(reads).toEqual(['a', 'b', 'c', 'b']);
  });

  it('tells a failure as retriable, and tries again the next time', async () => {
    let tries = 0;
    const keep = createContentKeeper(
      async () => {
        tries++;
        if (tries === 1) throw new Error('postgres is away');
        return tries;
      },
      { kind: 'policy', entriesMax: 2 },
    );
    await expect(keep('h')).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
      message: 'policy h cannot be used: postgres is away',
    });
    expect(await keep('h')).toBe(2);
    expect(await keep('h')).toBe(2);
  });
});
