import type { Condition } from '@perennial/expressions';

/** `rule`, `score`, `rank`, `manual` and `imported` are tags; `class` is one of a grid, `cluster` and `cohort` of a set. */
type SegmentKind = 'segment' | 'rule' | 'score' | 'rank' | 'manual' | 'imported' | 'class' | 'cluster' | 'cohort';

export interface Segment {
  readonly name: string;
  readonly kind: SegmentKind;
  /** Who is responsible for it; '' for nobody in particular. */
  readonly owner: string;
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
  /** Given to profiles by hand or by a list, and taken from them: no condition decides. */
  readonly isGiven?: true;
  /** One of a set, of which a profile is in one at most: its set decides, not the condition, which tells what was read. */
  readonly isAssigned?: true;
  /** Its threshold is not known yet: nobody enters or leaves it. */
  readonly isSuspended: boolean;
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
