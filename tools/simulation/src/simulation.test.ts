import { describe, expect, it } from '@jest/globals';
import { toSha256 } from '@perennial/kernel';
import { drawPlan } from './plan.js';
import type { RuleName } from './rules.js';
import { runSeeds, toSeedReport } from './run-seeds.js';
import { SeedPool } from './seed-pool.js';
import { shrinkFaults } from './shrink.js';
import { simulate } from './simulate.js';

/* A few dozen worlds; thousands are in tests/simulation. */

const SEEDS = 40;
/** For a machine that is busy with other tests. */
const TIMEOUT_MS = 240_000;

async function traceOf(seed: number): Promise<string[]> {
  const lines: string[] = [];
  const { violation } = await simulate(drawPlan(seed), { onTrace: (line) => lines.push(line) });
  return [...lines, String(violation)];
}

describe('the simulator', () => {
  it(
    'finds nothing wrong in the first worlds',
    async () => {
      const { seeds, failures } = await runSeeds({ first: 1, count: SEEDS });
      expect(failures.map(toSeedReport)).toEqual([]);
      expect(seeds).toBe(SEEDS);
    },
    TIMEOUT_MS,
  );

  it.each([3, 17, 40])('does the same again for seed %i, to the last event, also beside other worlds', async (seed) => {
    const [alone] = await Promise.all([traceOf(seed)]);
    const [beside] = await Promise.all([traceOf(seed), traceOf(seed + 1)]);
    expect(alone?.length).toBeGreaterThan(200);
    expect(toSha256((beside ?? []).join('\n'))).toBe(toSha256((alone ?? []).join('\n')));
    expect(beside).not.toEqual(await traceOf(seed + 1));
  });

  it(
    'notices a broken rule, and says how to see it again',
    async () => {
      const { failures } = await runSeeds({ first: 1, count: 60, mutant: 'outbox-not-republished' });
      expect(failures[0]?.broken).toBeGreaterThan(0);
      expect(failures[0] && toSeedReport(failures[0])).toMatch(/^seed \d+: .*\n {2}.\/perennial simulate --seed \d+$/s);
    },
    TIMEOUT_MS,
  );
});

describe('a pool of threads', () => {
  it.each([1, 3])(
    'comes to what one thread comes to, up to failure %i',
    async (failuresMax) => {
      const mutant = 'outbox-not-republished';
      const pool = new SeedPool();
      const pooled = await pool.run({ first: 5, count: 40, failuresMax, mutant }).finally(() => pool.close());
      expect(pooled.failures).toHaveLength(failuresMax);
      expect(pooled).toEqual(await runSeeds({ first: 5, count: 40, failuresMax, mutant }));
    },
    TIMEOUT_MS,
  );

  it('hears of a thread that ends', async () => {
    const pool = new SeedPool();
    const running = pool.run({ first: 1, count: 1, mutant: 'no such rule' as RuleName });
    await expect(running.finally(() => pool.close())).rejects.toThrow('the mutant no such rule');
  });
});

describe('shrinking', () => {
  it('leaves the faults that it takes, and no others', async () => {
    const plan = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(drawPlan).find(({ faults }) => faults.length >= 6);
    const [, second, , fourth] = plan?.faults ?? [];
    if (plan === undefined || second === undefined || fourth === undefined) throw new Error('no such plan');
    const shrunk = await shrinkFaults(plan, async ({ faults }) => faults.includes(second) && faults.includes(fourth));
    expect(shrunk.faults).toEqual([second, fourth]);
    expect((await shrinkFaults(plan, async () => true)).faults).toEqual([]);
    expect((await shrinkFaults(plan, async () => false)).faults).toEqual(plan.faults);
  });
});
