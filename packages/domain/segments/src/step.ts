import { type ProfileFacts, toEvidence, toProfileValues, toReasons, type Value } from '@perennial/expressions';
import { must } from '@perennial/kernel';
import { listAssigned } from './assigned.js';
import type { Segment } from './segment.js';
import type { Segments } from './segments.js';
import { type SegmentPosition, type SegmentStep, type StepInputs, stepSegment } from './step-segment.js';

/** A segment that a profile is in, or whose sequence it has begun, since a time in ms. */
export interface Since {
  readonly name: string;
  readonly sinceMs: number;
}

/** The segments of one profile. */
export interface SegmentState {
  /** Number of its last change, 0 before the first; counts over all segments without gaps. */
  readonly number: number;
  /** Segments that it is in, in the order of the file. */
  readonly members: readonly Since[];
  /** Sequences that have begun and whose time is not over, in the order of the file. */
  readonly waiting: readonly Since[];
}

/** `event`: an event changed it. `timer`: time alone did. `definition`: the segments in force no longer have it. `merge`: the profile has joined another one. */
type SegmentCause = 'event' | 'timer' | 'definition' | 'merge';

export interface SegmentChange {
  /** 1 for a profile's first change of any segment, then without gaps. */
  readonly number: number;
  readonly segment: string;
  readonly change: 'entered' | 'left';
  readonly cause: SegmentCause;
  readonly atMs: number;
  /** What the segment is, then each value that its condition read. */
  readonly reasons: readonly string[];
  /** The values that the condition read; null for a missing one. */
  readonly evidence: Readonly<Record<string, number | string | boolean | null>>;
}

/** What a step reads: its time, never before that of an earlier step of the profile, and what conditions may read. */
export interface SegmentInputs {
  readonly nowMs: number;
  readonly facts: ProfileFacts;
  /** The tags that it was given by hand or by a list. */
  readonly given?: ReadonlySet<string> | undefined;
}

export interface SegmentResult {
  readonly state: SegmentState;
  /** In the order of the file; segments that it no longer has come last. */
  readonly changes: readonly SegmentChange[];
  /** When time alone may change a segment: later than now. */
  readonly nextCheckAtMs: number;
}

const NO_TAGS: ReadonlySet<string> = new Set();
const JOINED = { reasons: ['the profile is one with another one'], evidence: {} };
const GONE = { reasons: ['the segments in force no longer have it'], evidence: {} };

/** The changes of a profile that is none any more, having joined another one: it leaves all its segments. */
export function leaveSegments({ number, members }: SegmentState, atMs: number): readonly SegmentChange[] {
  return members.map(({ name }, index) => ({
    number: number + index + 1,
    segment: name,
    change: 'left',
    cause: 'merge',
    atMs,
    ...JOINED,
  }));
}

/** One step of all segments of one profile: a pure function of the rules, the state before and the inputs. */
export function stepSegments(
  rules: Segments,
  before: SegmentState | undefined,
  { nowMs, facts, given = NO_TAGS }: SegmentInputs,
): SegmentResult {
  const { segments, variables, recheckMs } = rules;
  const values = [...toProfileValues(facts, variables)];
  const cause = facts.event === undefined ? 'timer' : 'event';
  const [memberSince, waitingSince] = [toSince(before?.members), toSince(before?.waiting)];
  const assigned = listAssigned(rules, { nowMs, values }, (name) => memberSince.has(name));
  const inputs = { nowMs, values, event: facts.event, given, assigned };
  const members: Since[] = [];
  const waiting: Since[] = [];
  const changed: Array<Omit<SegmentChange, 'number' | 'atMs'>> = [];
  // From now: a step evaluates all rules, whatever caused it.
  let nextCheckAtMs = nowMs + recheckMs;

  const toPosition = (name: string) => ({ sinceMs: memberSince.get(name), waitingMs: waitingSince.get(name) });
  const ordered = stepInOrder(rules, toPosition, inputs);

  for (const [name, segment] of segments) {
    // Of a set of sixty cohorts a profile has to do with one or two.
    if (segment.isAssigned && !assigned.has(name) && !memberSince.has(name)) continue;
    const position = toPosition(name);
    const after = ordered?.get(name) ?? stepSegment(segment, position, inputs);
    if (after.sinceMs !== undefined) members.push({ name, sinceMs: after.sinceMs });
    if (after.waitingMs !== undefined) waiting.push({ name, sinceMs: after.waitingMs });
    if (after.nextCheckAtMs !== undefined) nextCheckAtMs = Math.min(nextCheckAtMs, after.nextCheckAtMs);
    const isMember = after.sinceMs !== undefined;
    if (isMember === (position.sinceMs !== undefined)) continue;
    const change = isMember ? 'entered' : 'left';
    changed.push({ segment: name, change, cause, ...explain(segment, change, toEvidenceOf) });
  }
  for (const name of memberSince.keys()) {
    if (!segments.has(name)) changed.push({ segment: name, change: 'left', cause: 'definition', ...GONE });
  }
  const first = before?.number ?? 0;
  const changes = changed.map((change, index) => ({ ...change, number: first + index + 1, atMs: nowMs }));
  return { state: { number: first + changes.length, members, waiting }, changes, nextCheckAtMs };

  function toEvidenceOf(reads: readonly string[]): SegmentChange['evidence'] {
    return toEvidence(reads, variables, values);
  }
}

/** Where conditions read other segments: each sees what those that it reads are after this step. Undefined where none does. */
function stepInOrder(
  { segments, order, variables: { slots } }: Segments,
  toPosition: (name: string) => SegmentPosition,
  inputs: StepInputs & { readonly values: Value[] },
): ReadonlyMap<string, SegmentStep> | undefined {
  if (order === undefined) return undefined;
  const steps = new Map<string, SegmentStep>();
  for (const name of order) {
    const after = stepSegment(must(segments.get(name), 'a segment of the order'), toPosition(name), inputs);
    steps.set(name, after);
    for (const group of ['segments', 'tags']) {
      const slot = slots.get(`${group}.${name}`);
      if (slot !== undefined) inputs.values[slot] = after.sinceMs !== undefined;
    }
  }
  return steps;
}

function explain(
  { name, kind, description, when, leave, isGiven }: Segment,
  change: SegmentChange['change'],
  toEvidenceOf: (reads: readonly string[]) => SegmentChange['evidence'],
): Pick<SegmentChange, 'reasons' | 'evidence'> {
  const rule = change === 'entered' ? when : (leave ?? when);
  const evidence = toEvidenceOf(rule?.reads ?? []);
  const by = isGiven ? [kind === 'manual' ? 'by hand' : 'by a list that was imported'] : toReasons(evidence);
  return { reasons: [description === '' ? name : description, ...by], evidence };
}

const NONE: ReadonlyMap<string, number> = new Map();

function toSince(list: readonly Since[] = []): ReadonlyMap<string, number> {
  if (list.length === 0) return NONE;
  return new Map(list.map(({ name, sinceMs }) => [name, sinceMs]));
}
