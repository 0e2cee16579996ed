import {
  type ScoreVector,
  toEvidence,
  toProfileValues,
  toReasons,
  type Value,
  withStage,
} from '@perennial/expressions';
import { must } from '@perennial/kernel';
import type { Lifecycle, Stage, StageExit } from './chart.js';

const DAY_MS = 86_400_000;

/** State of a profile: its stage, since when, and the number of the transition that led there (1 for the first). */
export interface StageState {
  readonly stage: string;
  readonly sinceMs: number;
  readonly number: number;
}

type TransitionCause = 'event' | 'score' | 'timer' | 'merge';

export interface StageInputs {
  /** Time of this step; never before that of an earlier step of the same profile. */
  readonly nowMs: number;
  /** Features in the order of the chart's names. */
  readonly values: readonly (number | null)[];
  /** Attributes in the order of the chart's names. */
  readonly attributes?: readonly Value[] | undefined;
  /** Absent while no model is in force. */
  readonly scores?: ScoreVector | undefined;
  readonly cause: TransitionCause;
  readonly lastEventAtMs: number;
  /** The event being processed, if there is one. */
  readonly event?: { readonly type: string; readonly name: string } | undefined;
}

export interface StageTransition {
  /** 1 for a profile's first, then without gaps. */
  readonly number: number;
  /** Empty for the first. */
  readonly from: string;
  readonly to: string;
  readonly cause: TransitionCause;
  readonly atMs: number;
  /** The cause as text: the transition's reason, then each number that its condition read. */
  readonly reasons: readonly string[];
  /** The numbers that the condition read; null for a missing one. */
  readonly evidence: Readonly<Record<string, number | null>>;
}

export interface StageResult {
  /** The same object as before when nothing changed. */
  readonly state: StageState;
  /** At most one per step; further due transitions follow at `nextCheckAtMs`. */
  readonly transition?: StageTransition;
  /** When time alone may move the profile: later than now; absent when it cannot. */
  readonly nextCheckAtMs?: number;
}

/**
 * One step of the stage machine: a pure function of the chart, the state before (undefined for a profile never seen)
 * and the inputs. A profile's first step enters the chart. A state whose stage the chart no longer has enters again;
 * numbering continues.
 */
export function stepStage(lifecycle: Lifecycle, state: StageState | undefined, inputs: StageInputs): StageResult {
  const stage = state === undefined ? undefined : lifecycle.stages.get(state.stage);
  if (state === undefined || stage === undefined) return enter(lifecycle, state, inputs);
  const facts = { lifecycle, stage, state, inputs, values: toValues(lifecycle, state, inputs) };
  const exit = findExit(facts);
  if (exit === undefined) return toResult({ state }, toNextCheckAtMs(facts));
  return finish(facts, move(state, { to: exit.to, ...explain(facts, exit) }, inputs));
}

/**
 * Enters the chart in the initial stage, or directly in the stage that a transition leads to from there, so that a
 * first order makes a new customer at once.
 */
function enter(lifecycle: Lifecycle, state: StageState | undefined, inputs: StageInputs): StageResult {
  const reason = state === undefined ? 'first record' : `the stage ${state.stage} is not in the chart`;
  const initial: StageState = { stage: lifecycle.initial, sinceMs: inputs.nowMs, number: state?.number ?? 0 };
  const stage = must(lifecycle.stages.get(lifecycle.initial), 'initial stage');
  const facts = { lifecycle, stage, state: initial, inputs, values: toValues(lifecycle, initial, inputs) };
  const exit = findExit(facts);
  if (exit === undefined) {
    return finish(facts, move(state, { to: lifecycle.initial, reasons: [reason], evidence: {} }, inputs));
  }
  const { reasons, evidence } = explain(facts, exit);
  return finish(facts, move(state, { to: exit.to, reasons: [reason, ...reasons], evidence }, inputs));
}

interface Facts {
  readonly lifecycle: Lifecycle;
  readonly stage: Stage;
  readonly state: StageState;
  readonly inputs: StageInputs;
  readonly values: readonly Value[];
}

function toValues({ variables }: Lifecycle, state: StageState, inputs: StageInputs): readonly Value[] {
  const facts = {
    features: inputs.values,
    attributes: inputs.attributes,
    scores: inputs.scores,
    stage: state.stage,
    daysInStage: toDaysInStage(state, inputs),
    daysSinceEvent: (inputs.nowMs - inputs.lastEventAtMs) / DAY_MS,
    event: inputs.event,
  };
  return toProfileValues(facts, variables);
}

function toDaysInStage({ sinceMs }: StageState, { nowMs }: StageInputs): number {
  return (nowMs - sinceMs) / DAY_MS;
}

/** The first transition in order of priority that may fire now. */
function findExit(facts: Facts): StageExit | undefined {
  const { stage, state, inputs, values } = facts;
  let held: boolean | undefined;
  return stage.transitions.find((exit) => {
    if (toOpensAtMs(exit, state, inputs) > inputs.nowMs) return false;
    if (exit.when !== undefined && !exit.when.test(values)) return false;
    if (!exit.back) return true;
    held ??= stage.stay?.test(values) ?? false;
    return !held;
  });
}

/** The earliest time of a transition: after the dwell, and after the absence if it has one. */
function toOpensAtMs(exit: StageExit, state: StageState, inputs: StageInputs): number {
  const dwellEndMs = state.sinceMs + exit.dwellMs;
  return exit.absenceMs === undefined ? dwellEndMs : Math.max(dwellEndMs, inputs.lastEventAtMs + exit.absenceMs);
}

function explain(facts: Facts, exit: StageExit): Pick<StageTransition, 'reasons' | 'evidence'> {
  const read = toEvidence(exit.when?.reads ?? [], facts.lifecycle.variables, facts.values);
  const reasons = [exit.reason, ...toReasons(read)];
  if (exit.absenceMs !== undefined) reasons.push(`no event for ${exit.absenceMs / DAY_MS} days`);
  const numbers = Object.entries(read).filter((entry): entry is [string, number | null] => {
    return entry[1] === null || typeof entry[1] === 'number';
  });
  return { reasons, evidence: Object.fromEntries(numbers) };
}

function move(
  state: StageState | undefined,
  step: { to: string; reasons: readonly string[]; evidence: Readonly<Record<string, number | null>> },
  inputs: StageInputs,
): Pick<StageResult, 'transition'> & { state: StageState } {
  const number = (state?.number ?? 0) + 1;
  return {
    state: { stage: step.to, sinceMs: inputs.nowMs, number },
    transition: { number, from: state?.stage ?? '', cause: inputs.cause, atMs: inputs.nowMs, ...step },
  };
}

/** After a move; `before` are the facts that led to it. One millisecond later when it made a further transition possible. */
function finish({ lifecycle, inputs, values: seen }: Facts, moved: ReturnType<typeof move>): StageResult {
  const { state } = moved;
  const stage = lifecycle.stages.get(state.stage);
  if (stage === undefined) return moved;
  // Only the stage and the time in it are other ones.
  const values = withStage(seen, { stage: state.stage, daysInStage: toDaysInStage(state, inputs) });
  const facts = { lifecycle, stage, state, inputs, values };
  return toResult(moved, findExit(facts) === undefined ? toNextCheckAtMs(facts) : inputs.nowMs + 1);
}

function toResult(
  result: Pick<StageResult, 'transition'> & { state: StageState },
  nextCheckAtMs: number | undefined,
): StageResult {
  return nextCheckAtMs === undefined ? result : { ...result, nextCheckAtMs };
}

/**
 * When time alone may move a profile on that no transition moves now: the end of an absence; the end of a dwell that holds up
 * a transition whose condition is true; the next recheck.
 */
function toNextCheckAtMs({ stage, state, inputs, values }: Facts): number | undefined {
  const { nowMs } = inputs;
  let next = Number.POSITIVE_INFINITY;
  for (const exit of stage.transitions) {
    const opensAtMs = toOpensAtMs(exit, state, inputs);
    if (opensAtMs <= nowMs || opensAtMs >= next) continue;
    // Without an absence only the dwell delays it, and only if the condition holds, which changes only in a step.
    if (exit.absenceMs !== undefined || exit.when === undefined || exit.when.test(values)) next = opensAtMs;
  }
  if (stage.recheckMs !== undefined) {
    // On a grid from entry, not from now, so that steps in between do not postpone it.
    const passed = Math.floor((nowMs - state.sinceMs) / stage.recheckMs);
    next = Math.min(next, state.sinceMs + (passed + 1) * stage.recheckMs);
  }
  return next === Number.POSITIVE_INFINITY ? undefined : next;
}
