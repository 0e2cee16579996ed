import type { PlannedEvent, PlanViolation, TrackingPlan } from '@perennial/tracking-plan';
import type { JsonObject } from './parse-properties.js';
import { Rejection } from './rejection.js';

/** A source's plan, and which of its versions it is. */
export interface PlanInForce {
  /** Counted from 1 for each source. */
  readonly number: number;
  readonly plan: TrackingPlan;
}

/** What a plan said of an accepted event. */
export interface PlanResult {
  /** 0 without a plan. */
  readonly planNumber: number;
  readonly violations: readonly PlanViolation[];
  /** Personal fields that were taken out of the properties. */
  readonly withheld: number;
  /** Properties whose values are compared with the profile's own history. */
  readonly outliers: readonly string[];
}

export const UNPLANNED: PlanResult = { planNumber: 0, violations: [], withheld: 0, outliers: [] };

/** Violations that a message reports; all of them are counted. */
const REPORTED_MAX = 3;

/** The event's properties without personal fields, or why the plan rejects it. */
export function judgeByPlan(
  { number, plan }: PlanInForce,
  event: PlannedEvent,
  { sent, properties }: { readonly sent: JsonObject; readonly properties: JsonObject },
): { readonly properties: JsonObject; readonly planned: PlanResult } | Rejection {
  // The group's id is no trait: ingest puts it there.
  const { violations, isRejected } = plan.judge(event, event.type === 'group' ? withoutGroupId(sent) : sent);
  if (isRejected) return toRejection(event, violations);
  const { properties: kept, count: withheld } = plan.withhold(event, properties);
  return {
    properties: kept,
    planned: { planNumber: number, violations, withheld, outliers: plan.listOutliers(event) },
  };
}

function withoutGroupId({ groupId: _groupId, ...traits }: JsonObject): JsonObject {
  return traits;
}

function toRejection({ type }: PlannedEvent, violations: readonly PlanViolation[]): Rejection {
  const place = type === 'identify' || type === 'group' ? 'traits' : 'properties';
  const reported = violations.slice(0, REPORTED_MAX).map(({ message }) => message);
  const more = violations.length > reported.length ? `, and ${violations.length - reported.length} more` : '';
  const [first] = violations;
  const field = first?.reason === 'unplanned_event' ? 'event' : `${place}${(first?.path ?? '').replaceAll('/', '.')}`;
  const message = `not as the tracking plan has it: ${reported.join('; ')}${more}`;
  return new Rejection('plan_violation', message, 'plan', { field, violations });
}
