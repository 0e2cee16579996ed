import { AppError, type Clock, every } from '@perennial/kernel';
import { requireTrackingPlan, type TrackingPlan } from '@perennial/tracking-plan';
import type { PlanInForce } from './domain/judge-by-plan.js';
import type { PlanStore, PlanVersion } from './ports.js';

/** Every instance follows a change within this time: as long as write keys are remembered. */
const REFRESH_MS = 10_000;

/** The plan that judges the events of a source. */
export type FindPlan = (sourceId: string) => PlanInForce | undefined;

/** The tracking plans in force, the same for HTTP and Kafka. */
export interface PlanDirectory {
  readonly find: FindPlan;
  stop(): Promise<void>;
}

/**
 * Loads the plans before the first event (throws when it cannot: what they withhold would get through), and what has
 * changed of them every ten seconds.
 */
export async function startPlanDirectory(
  store: PlanStore,
  { clock, onError }: { readonly clock: Clock; readonly onError: (error: unknown) => void },
): Promise<PlanDirectory> {
  let plans: ReadonlyMap<string, LoadedPlan> = await loadPlans(store, new Map(), (error) => {
    throw error;
  });
  const refresh = every({ intervalMs: REFRESH_MS, clock, onError }, async () => {
    plans = await loadPlans(store, plans, onError);
  });
  return { find: (sourceId) => plans.get(sourceId), stop: () => refresh.stop() };
}

interface LoadedPlan extends PlanInForce {
  readonly hash: string;
}

/** A plan that cannot be read stays as it was, so that one does not hold up those of the others. */
async function loadPlans(
  store: PlanStore,
  before: ReadonlyMap<string, LoadedPlan>,
  onUnreadable: (error: unknown) => void,
): Promise<ReadonlyMap<string, LoadedPlan>> {
  const plans = new Map<string, LoadedPlan>();
  for (const { sourceId, number, hash } of await store.listCurrent()) {
    if (hash === null) continue;
    const known = before.get(sourceId);
    if (known?.hash === hash) {
      plans.set(sourceId, { ...known, number });
      continue;
    }
    try {
      plans.set(sourceId, { number, hash, plan: await loadPlan(store, { sourceId, number }) });
    } catch (error) {
      onUnreadable(error);
      if (known !== undefined) plans.set(sourceId, known);
    }
  }
  return plans;
}

async function loadPlan(
  store: PlanStore,
  { sourceId, number }: Pick<PlanVersion, 'sourceId' | 'number'>,
): Promise<TrackingPlan> {
  const content = await store.load(sourceId, number);
  if (content === undefined) throw new AppError('not_found', `plan ${number} of ${sourceId} is gone`);
  return requireTrackingPlan(content, { fileName: `plan ${number} of ${sourceId}` });
}
