import type { Condition, VariableSet } from '@perennial/expressions';

/** A set of segments: named groups of profiles, each with a rule that says who belongs to it. */
export interface Segments {
  readonly name: string;
  /** In the order of the file. */
  readonly segments: ReadonlyMap<string, Segment>;
  readonly variables: VariableSet;
  /** Maximum time between two evaluations of a profile: for conditions that change with time alone. */
  readonly recheckMs: number;
}

export interface Segment {
  readonly name: string;
  readonly description: string;
  /** Who enters. With `sequence`, evaluated when its time is over. Absent: everyone who did the sequence. */
  readonly when: Condition | undefined;
  /** Who did one thing and not another within a time; absent for a segment of `when` alone. */
  readonly sequence: AbsentSequence | undefined;
  /** Who leaves, and may not enter. Absent: a segment without a sequence is left when `when` is false. */
  readonly leave: Condition | undefined;
  /** Conditions make a member leave no sooner than this after it entered; the event `butNot` does at once. */
  readonly minStayMs: number;
  /** With `sequence`: a member leaves this long after it entered; undefined for never. */
  readonly maxStayMs: number | undefined;
}

/** "Did A and not B within T". The time begins with the first A; B ends it, or the membership. */
interface AbsentSequence {
  readonly did: EventPattern;
  readonly butNot: EventPattern;
  readonly withinMs: number;
}

/** Which events are meant: a type, and a name compared exactly where there is one. */
export interface EventPattern {
  readonly type: string;
  readonly name: string | undefined;
}

export function matches(
  { type, name }: EventPattern,
  event: { readonly type: string; readonly name: string },
): boolean {
  return event.type === type && (name === undefined || event.name === name);
}
