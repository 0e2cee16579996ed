import type { Fault } from './fault.js';
import type { WorldPlan } from './plan.js';

/** Maximum of runs; each tries a world without some of the faults. */
const ATTEMPTS_MAX = 300;

/**
 * Reduces the plan to the fewest faults that still cause a violation: halves, quarters ... then single faults are left
 * out as long as the rest still fails. The delays are drawn anew for each run, so the violation found may differ from
 * the first.
 */
export async function shrinkFaults(
  plan: WorldPlan,
  violates: (candidate: WorldPlan) => Promise<boolean>,
): Promise<WorldPlan> {
  let faults = plan.faults;
  let attempts = 0;
  for (let size = Math.ceil(faults.length / 2); size >= 1; ) {
    const candidate = await findSmaller(faults, size);
    if (candidate !== undefined) faults = candidate;
    else if (size === 1) break;
    size = candidate === undefined ? Math.floor(size / 2) : Math.min(size, Math.max(1, faults.length));
    if (faults.length === 0) break;
  }
  return { ...plan, faults };

  async function findSmaller(from: readonly Fault[], size: number): Promise<readonly Fault[] | undefined> {
    for (let start = 0; start < from.length && attempts < ATTEMPTS_MAX; start += size) {
      attempts++;
      const candidate = [...from.slice(0, start), ...from.slice(start + size)];
      if (await violates({ ...plan, faults: candidate })) return candidate;
    }
    return undefined;
  }
}
