import { forgetTested } from './conditions.js';
import type { FeatureEvent } from './event.js';
import type { FeaturePlan } from './plan.js';
import type { MeasuredEvent } from './streams.js';

/** An event as the accumulators of a plan read it. */
export function measure(
  plan: FeaturePlan,
  event: FeatureEvent,
  { isCompletion }: Pick<MeasuredEvent, 'isCompletion'>,
): MeasuredEvent {
  const numbers: number[] = [];
  // All but the amount of a completed order was counted when it first came.
  for (const stream of plan.numbers) numbers.push(!isCompletion || stream.isWorth ? stream.toNumber(event) : 0);
  const ids: Array<readonly string[]> = [];
  for (const stream of plan.ids) ids.push(stream.toIds(event));
  const failed = forgetTested(plan.conditions, event);
  return { timestampMs: event.timestampMs, numbers, ids, isCompletion, timeZone: event.timeZone, failed };
}
