export const TICK_STEP_MAX_MS = 3_600_000;
export const TICK_STEP_MIN_MS = 1_000;
/** Eleven years in hourly steps; a longer range needs several calls. */
export const TICKS_MAX = 100_000;

/**
 * The log times to write so that time moves from `last` (undefined before the first tick) to `to`, in steps of at
 * most `stepMs`; the last is `to`. Empty when `to` is not after `last`: time never goes back.
 */
export function* planTicks(plan: {
  readonly last: number | undefined;
  readonly from: number | undefined;
  readonly to: number;
  readonly stepMs: number;
}): Generator<number> {
  const { last, from, to, stepMs } = plan;
  if (last !== undefined && to <= last) return;
  let time = last ?? Math.min(from ?? to, to);
  if (last === undefined) yield time;
  while (time < to) {
    time = Math.min(time + stepMs, to);
    yield time;
  }
}

/** Number of ticks in a plan, without creating them. */
export function countTicks(plan: Parameters<typeof planTicks>[0]): number {
  const start = plan.last ?? Math.min(plan.from ?? plan.to, plan.to);
  const first = plan.last === undefined ? 1 : 0;
  return plan.to < start ? first : first + Math.ceil((plan.to - start) / plan.stepMs);
}
