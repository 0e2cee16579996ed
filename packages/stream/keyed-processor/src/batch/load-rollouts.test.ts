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
    outcome: 'decoded',
    decoded: { kind: 'rollout', rollout },
  } as BatchEntry<never>;
}

describe('rollouts of a batch', () => {
  it('are told what is in force just before each, without those that were rejected', async () => {
    const told: string[] = [];
    const batch = [roll('spec', 2), roll('chart', 3), roll('spec', 4), roll('chart', 5)];
    const entries = await loadRollouts(batch.map(toEntry), [roll('spec', 1)], async (rollout, inForce) => {
      told.push(`${rollout.hash} after ${[...inForce.values()].map(({ hash }) => hash)}`);
      return rollout.number === 4 ? { reason: 'no' } : undefined;
    });
    expect(told).toEqual([
      'spec-2 after spec-1',
      'chart-3 after spec-2',
      'spec-4 after spec-2,chart-3',
      'chart-5 after spec-2,chart-3',
    ]);
    expect(entries.map(({ outcome }) => outcome)).toEqual(['decoded', 'decoded', 'poison', 'decoded']);
  });

  it('that are in force already are told of all that is, whatever order they came in', async () => {
    const told: number[] = [];
    await loadInForce([roll('chart', 1), roll('spec', 2)], async (_, inForce) => {
      told.push(inForce.size);
      return undefined;
    });
    expect(told).toEqual([2, 2]);
  });
});
