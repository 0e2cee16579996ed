import { describe, expect, it } from '@jest/globals';
import type { Pool } from '@perennial/postgres';
import { createIdentityStore } from './identity-store.js';

/** The rules of each partition, in the sequence in which they were written. */
type Rows = ReadonlyArray<readonly [partition: number, hash: string]>;

function findHash(rows: Rows, partitions: number): Promise<string | undefined> {
  const query = async (sql: string, [count]: [number]) => {
    expect(sql).toContain('partition < $1 ORDER BY written_at,');
    return { rows: rows.filter(([partition]) => partition < count).map(([, hash]) => ({ hash })) };
  };
  const options = {
    schema: 'live_ingest',
    namespace: 'live',
    artifacts: { kind: 'folder', folder: '/nowhere' } as const,
  };
  return createIdentityStore({ query } as unknown as Pool, options).currentHash(partitions);
}

describe('rules about ids in the ledger of rollouts', () => {
  it.each<[string, Rows, string | undefined]>([
    ['nothing was rolled out', [], undefined],
    [
      'the first rollout has stopped half-way',
      [
        [0, 'a'],
        [1, 'a'],
      ],
      undefined,
    ],
    [
      'all partitions have the same',
      [
        [0, 'a'],
        [1, 'a'],
        [2, 'a'],
      ],
      'a',
    ],
    [
      'a second one has stopped half-way',
      [
        [2, 'a'],
        [0, 'b'],
        [1, 'b'],
      ],
      'a',
    ],
    [
      'a third one follows one that has stopped',
      [
        [2, 'a'],
        [1, 'b'],
        [0, 'c'],
      ],
      'a',
    ],
    [
      'it was taken back where it had got to',
      [
        [1, 'a'],
        [2, 'a'],
        [0, 'a'],
      ],
      'a',
    ],
  ])('are those that all partitions have had: %s', async (_, rows, expected) => {
    expect(await findHash(rows, 3)).toBe(expected);
  });

  it('are not those of a partition that is none', async () => {
    expect(
      await findHash(
        [
          [0, 'a'],
          [5, 'b'],
        ],
        2,
      ),
    ).toBeUndefined();
  });
});
