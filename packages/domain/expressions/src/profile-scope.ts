import { findNearest } from './nearest.js';
import {
  declareVariables,
  type OnEvaluationError,
  type Value,
  type Variable,
  type VariableKind,
  type VariableSet,
} from './variables.js';

const SCORES = 'scores';
const SEGMENTS = 'segments';
/** Another name of the same: tags are entered and left as segments are. */
const TAGS = 'tags';

/** Scores of a profile: one value for each head that the model's manifest declares. */
export interface ScoreVector {
  /** Index in `values` of each head, by the head's name. */
  readonly slots: ReadonlyMap<string, number>;
  readonly values: readonly number[];
}

/** Everything that conditions about a profile may read. Absent parts are missing values. */
export interface ProfileFacts {
  /** Features in the order of the names given to the declaration of the variables. */
  readonly features: readonly (number | null)[];
  /** Attributes, such as `traits.plan`, in the order of their declaration; those at the end may be left out. */
  readonly attributes?: readonly Value[] | undefined;
  readonly scores?: ScoreVector | undefined;
  readonly stage?: string | undefined;
  readonly daysInStage?: number | undefined;
  readonly daysSinceEvent?: number | undefined;
  /** The event being processed; absent for a timer. */
  readonly event?: { readonly type: string; readonly name: string } | undefined;
  /** The segments that it is in; absent while none are in force. */
  readonly segments?: ReadonlySet<string> | undefined;
}

/** What conditions about a profile may read besides its features. */
export interface ProfileVariables {
  /** With the whole name, such as `traits.plan`. */
  readonly attributes?: ReadonlyArray<Pick<Variable, 'name' | 'kind'>> | undefined;
  /** The heads that may be read; any when absent, since a chart outlives the model it was written for. */
  readonly headNames?: Iterable<string> | undefined;
  /** The segments and tags that may be read; none when absent. */
  readonly segmentNames?: readonly string[] | 'any' | undefined;
  readonly onEvaluationError?: OnEvaluationError | undefined;
}

/**
 * The variables of every condition about a profile: stage, event, `features.<name>` for each feature, the attributes, then
 * `scores.<head>`, `segments.<name>` and `tags.<name>`. A head or segment of a group that is open to any name has no value while what
 * is in force does not have it.
 */
export function declareProfileVariables(
  featureNames: readonly string[],
  { attributes = [], headNames, segmentNames = [], onEvaluationError }: ProfileVariables = {},
): VariableSet {
  const openGroups = new Map<string, VariableKind>();
  if (headNames === undefined) openGroups.set(SCORES, 'number');
  if (segmentNames === 'any') openGroups.set(SEGMENTS, 'boolean').set(TAGS, 'boolean');
  const segments = segmentNames === 'any' ? [] : segmentNames;
  return declareVariables(
    [
      { name: 'profile.stage', kind: 'string' },
      { name: 'profile.days_in_stage', kind: 'number' },
      { name: 'profile.days_since_event', kind: 'number' },
      { name: 'event.type', kind: 'string' },
      { name: 'event.name', kind: 'string' },
      ...featureNames.map((name) => ({ name: `features.${name}`, kind: 'number' as const })),
      ...attributes,
      ...[...(headNames ?? [])].map((member) => toMemberVariable(SCORES, member, 'number')),
      ...segments.map((member) => toMemberVariable(SEGMENTS, member, 'boolean')),
      ...segments.map((member) => toMemberVariable(TAGS, member, 'boolean')),
    ],
    { openGroups, onEvaluationError },
  );
}

function toMemberVariable(group: string, member: string, kind: VariableKind) {
  return { name: `${group}.${member}`, kind, member, group };
}

/** Values of those variables, in the order of their declaration. */
export function toProfileValues(facts: ProfileFacts, { variables }: VariableSet): readonly Value[] {
  const { scores, segments, event, attributes } = facts;
  const values: Value[] = [facts.stage, facts.daysInStage, facts.daysSinceEvent, event?.type, event?.name];
  for (const feature of facts.features) values.push(feature);
  const first = values.length;
  for (let slot = first; slot < variables.length; slot++) {
    const { group, member } = variables[slot] ?? {};
    if (member === undefined) {
      values.push(attributes?.[slot - first]);
      continue;
    }
    if (group === SEGMENTS || group === TAGS) {
      values.push(segments?.has(member));
      continue;
    }
    const head = scores?.slots.get(member);
    values.push(head === undefined ? undefined : scores?.values[head]);
  }
  return values;
}

/** The same values of a profile that has moved to another stage: nothing else of them depends on it. */
export function withStage(
  values: readonly Value[],
  { stage, daysInStage }: Required<Pick<ProfileFacts, 'stage' | 'daysInStage'>>,
): readonly Value[] {
  const moved = values.slice();
  moved[0] = stage;
  moved[1] = daysInStage;
  return moved;
}

/** The heads that conditions over these variables read, in the order in which they first appear. */
export function listHeads({ variables }: VariableSet): string[] {
  return listMembers(variables, SCORES);
}

/** The segments and tags likewise, each once. */
export function listSegments({ variables }: VariableSet): string[] {
  return [...new Set([...listMembers(variables, SEGMENTS), ...listMembers(variables, TAGS)])];
}

function listMembers(variables: VariableSet['variables'], wanted: string): string[] {
  return variables.flatMap(({ group, member }) => (group === wanted && member !== undefined ? [member] : []));
}

/** A reason listing the heads read but not declared, each with the nearest declared one; undefined if there is none. */
export function describeMissingHeads(read: readonly string[], declared: Iterable<string>): string | undefined {
  return describeMissing(SCORES, read, declared);
}

/** A reason listing the segments likewise. */
export function describeMissingSegments(read: readonly string[], declared: Iterable<string>): string | undefined {
  return describeMissing(SEGMENTS, read, declared);
}

function describeMissing(group: string, read: readonly string[], declared: Iterable<string>): string | undefined {
  const known = new Set(declared);
  const missing = read.filter((name) => !known.has(name));
  if (missing.length === 0) return undefined;
  return missing
    .map((name) => {
      const nearest = findNearest(name, known);
      return `${group}.${name}${nearest === undefined ? '' : ` (did you mean "${group}.${nearest}"?)`}`;
    })
    .join(', ');
}

/** The values that a condition reads, by name; missing ones are null. */
export function toEvidence(
  reads: readonly string[],
  variables: VariableSet,
  values: readonly Value[],
): Record<string, number | string | boolean | null> {
  const evidence: Record<string, number | string | boolean | null> = {};
  for (const name of reads) {
    const value = values[variables.slots.get(name) ?? -1];
    evidence[name] = value === undefined || (typeof value === 'number' && !Number.isFinite(value)) ? null : value;
  }
  return evidence;
}

/** Evidence as text, such as `scores.churn = 0.71`; numbers are rounded to three decimals. */
export function toReasons(evidence: Readonly<Record<string, number | string | boolean | null>>): string[] {
  return Object.entries(evidence).map(([name, value]) => {
    if (value === null) return `${name} is missing`;
    return `${name} = ${typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value}`;
  });
}
