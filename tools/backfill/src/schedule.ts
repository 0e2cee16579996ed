import { BACKFILL_LIMITS } from './limits.js';

/** Next step of a backfill: send the events [from, to), or advance log time to `timeMs`. */
export type BackfillStep =
  | { readonly kind: 'send'; readonly from: number; readonly to: number }
  | { readonly kind: 'tick'; readonly timeMs: number };

export interface ScheduleInput {
  readonly length: number;
  /** Time of an event; never decreases with the index. */
  timestampMs(index: number): number;
  /** Log time that an earlier run reached: everything up to it is sent. */
  readonly reachedMs?: number | undefined;
  /** Later events are not sent, and time stops exactly there. Default: the hour at or after the last event. */
  readonly untilMs?: number | undefined;
}

/**
 * The steps of a backfill, lazily: the events of an hour (T - 1 h, T] before the tick T, and each tick before any event
 * later than it. Hours without events add no step: one tick step covers them all. Steps only go forward, so a run that
 * stopped after a tick is continued by passing that tick's time as `reachedMs`.
 */
export function* toSteps(input: ScheduleInput): Generator<BackfillStep> {
  const end = findFirstAfter(input, input.untilMs ?? Number.POSITIVE_INFINITY);
  let index = findFirstAfter(input, input.reachedMs ?? Number.NEGATIVE_INFINITY);
  let timeMs = input.reachedMs ?? Number.NEGATIVE_INFINITY;
  while (index < end) {
    const hourMs = toHourCeiling(input.timestampMs(index));
    const beforeMs = hourMs - BACKFILL_LIMITS.tickStepMs;
    if (beforeMs > timeMs) {
      timeMs = beforeMs;
      yield { kind: 'tick', timeMs };
    }
    const next = Math.min(end, findFirstAfter(input, hourMs, index));
    yield { kind: 'send', from: index, to: next };
    index = next;
  }
  if (timeMs === Number.NEGATIVE_INFINITY) return;
  const lastMs = input.untilMs ?? (end === 0 ? timeMs : toHourCeiling(input.timestampMs(end - 1)));
  if (lastMs > timeMs) yield { kind: 'tick', timeMs: lastMs };
}

/** The tick with which the events up to `untilMs` end; undefined when there are none. */
export function findLastTick(
  input: Pick<ScheduleInput, 'length' | 'timestampMs'>,
  untilMs: number | undefined,
): number | undefined {
  const end = findFirstAfter(input, untilMs ?? Number.POSITIVE_INFINITY);
  return end === 0 ? undefined : (untilMs ?? toHourCeiling(input.timestampMs(end - 1)));
}

/** The hour boundary at or after a time. */
function toHourCeiling(ms: number): number {
  return Math.ceil(ms / BACKFILL_LIMITS.tickStepMs) * BACKFILL_LIMITS.tickStepMs;
}

/** Number of ticks from one log time to another: the hour boundaries in between, and the end itself. */
export function countTicks(fromMs: number | undefined, toMs: number): number {
  if (fromMs === undefined) return 1;
  return Math.max(0, Math.ceil(toMs / BACKFILL_LIMITS.tickStepMs) - Math.floor(fromMs / BACKFILL_LIMITS.tickStepMs));
}

/**
 * Splits a long range into parts that fit one call each. All but the last end on an hour boundary, the first part on
 * the next one, so ticks lie on hour boundaries however often a backfill was interrupted.
 */
export function* toTickCalls(fromMs: number | undefined, toMs: number): Generator<number> {
  if (fromMs !== undefined) {
    const pieceMs = BACKFILL_LIMITS.ticksPerCallMax * BACKFILL_LIMITS.tickStepMs;
    const alignedMs = toHourCeiling(fromMs);
    const firstMs = alignedMs > fromMs ? alignedMs : fromMs + pieceMs;
    for (let at = firstMs; at < toMs; at += pieceMs) yield at;
  }
  yield toMs;
}

/** Index of the first event later than `timeMs`, at or after `from`. */
export function findFirstAfter(input: Pick<ScheduleInput, 'length' | 'timestampMs'>, timeMs: number, from = 0): number {
  let low = from;
  let high = input.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (input.timestampMs(middle) > timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
