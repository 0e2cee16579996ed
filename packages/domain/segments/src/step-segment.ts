import type { Value } from '@perennial/expressions';
import { matches, type Segment } from './segment.js';

/** Where a profile is in one segment. */
export interface SegmentPosition {
  /** Since when it is a member; undefined for none. */
  readonly sinceMs: number | undefined;
  /** When the sequence began whose time is not over; undefined for none, and for a member. */
  readonly waitingMs: number | undefined;
}

export interface SegmentStep extends SegmentPosition {
  /** When time alone may change it; absent when it cannot. */
  readonly nextCheckAtMs?: number | undefined;
}

export interface StepInputs {
  readonly nowMs: number;
  /** Values of the variables, in the order of their declaration. */
  readonly values: readonly Value[];
  readonly event: { readonly type: string; readonly name: string } | undefined;
  /** The tags that it was given. */
  readonly given: ReadonlySet<string>;
  /** The clusters and cohorts that it is in after the step. */
  readonly assigned: ReadonlySet<string>;
}

const OUTSIDE: SegmentStep = { sinceMs: undefined, waitingMs: undefined };

/** One step of one segment. */
export function stepSegment(
  segment: Segment,
  { sinceMs, waitingMs }: SegmentPosition,
  inputs: StepInputs,
): SegmentStep {
  if (segment.isGiven) return stepListed(inputs.given.has(segment.name), sinceMs, inputs);
  if (segment.isAssigned) return stepListed(inputs.assigned.has(segment.name), sinceMs, inputs);
  if (segment.isSuspended) return { sinceMs, waitingMs };
  return sinceMs === undefined ? stepOutside(segment, waitingMs, inputs) : stepMember(segment, sinceMs, inputs);
}

function stepListed(isMember: boolean, sinceMs: number | undefined, { nowMs }: StepInputs): SegmentStep {
  return isMember ? { sinceMs: sinceMs ?? nowMs, waitingMs: undefined } : OUTSIDE;
}

function stepOutside(segment: Segment, waitingMs: number | undefined, inputs: StepInputs): SegmentStep {
  const { sequence } = segment;
  const { nowMs, event } = inputs;
  if (sequence === undefined) return mayEnter(segment, inputs) ? enter(segment, nowMs) : OUTSIDE;
  // Also after the time is over: the profile has done it by now, so the segment has no use for it.
  if (event !== undefined && matches(sequence.butNot, event)) return OUTSIDE;
  const isOver = waitingMs !== undefined && nowMs >= waitingMs + sequence.withinMs;
  if (isOver && mayEnter(segment, inputs)) return enter(segment, nowMs);
  const begins = event !== undefined && matches(sequence.did, event);
  const since = waitingMs === undefined || isOver ? (begins ? nowMs : undefined) : waitingMs;
  if (since === undefined) return OUTSIDE;
  return { sinceMs: undefined, waitingMs: since, nextCheckAtMs: since + sequence.withinMs };
}

function mayEnter({ when, leave }: Segment, { values }: StepInputs): boolean {
  return (when === undefined || when.test(values)) && !(leave?.test(values) ?? false);
}

function enter({ maxStayMs }: Segment, nowMs: number): SegmentStep {
  return {
    sinceMs: nowMs,
    waitingMs: undefined,
    nextCheckAtMs: maxStayMs === undefined ? undefined : nowMs + maxStayMs,
  };
}

function stepMember(segment: Segment, sinceMs: number, inputs: StepInputs): SegmentStep {
  const { sequence, minStayMs, maxStayMs = Number.POSITIVE_INFINITY } = segment;
  const { nowMs, event } = inputs;
  const endsAtMs = sinceMs + maxStayMs;
  const hasDone = sequence !== undefined && event !== undefined && matches(sequence.butNot, event);
  if (hasDone || nowMs >= endsAtMs) return OUTSIDE;
  const mayLeaveAtMs = sinceMs + minStayMs;
  const wantsToLeave = mustLeave(segment, inputs);
  if (wantsToLeave && nowMs >= mayLeaveAtMs) return OUTSIDE;
  const nextMs = wantsToLeave ? Math.min(mayLeaveAtMs, endsAtMs) : endsAtMs;
  return { sinceMs, waitingMs: undefined, nextCheckAtMs: nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs };
}

function mustLeave({ when, leave, sequence }: Segment, { values }: StepInputs): boolean {
  if (leave !== undefined) return leave.test(values);
  return sequence === undefined && when !== undefined && !when.test(values);
}
