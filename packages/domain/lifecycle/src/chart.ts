import type { Condition, VariableSet } from '@perennial/expressions';

/** A lifecycle chart: the stages of a profile and the transitions between them. */
export interface Lifecycle {
  readonly name: string;
  /** The stage of a profile's first record. */
  readonly initial: string;
  readonly stages: ReadonlyMap<string, Stage>;
  readonly variables: VariableSet;
}

export interface Stage {
  readonly name: string;
  readonly description: string;
  /** Hysteresis: while it holds, transitions marked `back` do not fire. */
  readonly stay: Condition | undefined;
  /** Interval of rechecks, counted from entry: for conditions that change with time alone. */
  readonly recheckMs: number | undefined;
  /** In order of priority: the first that may fire does so. */
  readonly transitions: readonly StageExit[];
}

/** One transition out of a stage. */
export interface StageExit {
  readonly to: string;
  /** Absent means always (if the other conditions allow it). */
  readonly when: Condition | undefined;
  /** Fires only this long after the last event. */
  readonly absenceMs: number | undefined;
  /** Fires only this long after entry. */
  readonly dwellMs: number;
  readonly back: boolean;
  readonly reason: string;
}
