import { describe, expect, it } from '@jest/globals';
import type { Rollout } from '@perennial/contracts';
import type { BatchEntry } from './decode-batch.js';
import { loadInForce, loadRollouts } from './load-rollouts.js';

const roll = (kind: string, number: number): Rollout => ({ kind, number, hash: `${kind}-${number}` });

function toEntry(rollout: Rollout): BatchEntry<never> {
  const record = { partition: 0, offset: rollout.number, key: null, value: null, headers: {}, timestampMs: 0 };
  return {
    record,
    position: undefined,
    result: 'decoded',
    decoded: { kind: 'rollout', rollout },
  } as BatchEntry<never>;
}

describe('rollouts of a batch', () => {
  it('see what is in force just before each, without those that were rejected', async () => {
    const seen: string[] = [];
    const batch = [roll('spec', 2), roll('chart', 3), roll('spec', 4), roll('chart', 5)];
    const entries = await loadRollouts(batch.map(toEntry), [roll('spec', 1)], async (rollout, inForce) => {
      seen.push(`${rollout.hash} after ${[...inForce.values()].map(({ hash }) => hash)}`);
      return rollout.number === 4 ? { reason: 'no' } : undefined;
    });
    expect(seen).toEqual([
      'spec-2 after spec-1',
      'chart-3 after spec-2',
      'spec-4 after spec-2,chart-3',
      'chart-5 after spec-2,chart-3',
    ]);
    expect(entries.map(({ result }) => result)).toEqual(['decoded', 'decoded', 'poison', 'decoded']);
  });

  it('that are in force already see all that is, whatever order they came in', async () => {
    const seen: number[] = [];
    await loadInForce([roll('chart', 1), roll('spec', 2)], async (_, inForce) => {
      seen.push(inForce.size);
      return undefined;
    });
    expect(seen).toEqual([2, 2]);
  });
});
