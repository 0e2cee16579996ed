import { findNearest } from './nearest.js';
import { declareVariables, type OnEvaluationError, type Value, type VariableSet } from './variables.js';

const SCORES = 'scores';

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
  readonly scores?: ScoreVector | undefined;
  readonly stage?: string | undefined;
  readonly daysInStage?: number | undefined;
  readonly daysSinceEvent?: number | undefined;
  /** The event being processed; absent for a timer. */
  readonly event?: { readonly type: string; readonly name: string } | undefined;
}

/**
 * The variables of every condition about a profile: stage, event, `features.<name>` for each feature, then
 * `scores.<head>`. With `headNames` only these heads may be read. Without it any head may be read; its value is missing
 * while the model in force does not declare it, because a chart outlives the model it was written for.
 */
export function declareProfileVariables(
  featureNames: readonly string[],
  headNames?: Iterable<string> | undefined,
  onEvaluationError?: OnEvaluationError | undefined,
): VariableSet {
  const heads = [...(headNames ?? [])];
  return declareVariables(
    [
      { name: 'profile.stage', kind: 'string' },
      { name: 'profile.days_in_stage', kind: 'number' },
      { name: 'profile.days_since_event', kind: 'number' },
      { name: 'event.type', kind: 'string' },
      { name: 'event.name', kind: 'string' },
      ...featureNames.map((name) => ({ name: `features.${name}`, kind: 'number' as const })),
      ...heads.map((member) => ({ name: `${SCORES}.${member}`, kind: 'number' as const, member })),
    ],
    { openGroup: headNames === undefined ? SCORES : undefined, onEvaluationError },
  );
}

/** Values of those variables, in the order of their declaration. */
export function toProfileValues(facts: ProfileFacts, { variables }: VariableSet): readonly Value[] {
  const { scores, event } = facts;
  const values: Value[] = [facts.stage, facts.daysInStage, facts.daysSinceEvent, event?.type, event?.name];
  for (const feature of facts.features) values.push(feature);
  for (let slot = values.length; slot < variables.length; slot++) {
    const head = scores?.slots.get(variables[slot]?.member ?? '');
    values.push(head === undefined ? undefined : scores?.values[head]);
  }
  return values;
}

/** The heads that conditions over these variables read, in the order in which they first appear. */
export function listHeads({ variables }: VariableSet): string[] {
  return variables.flatMap(({ member }) => member ?? []);
}

/** A reason listing the heads read but not declared, each with the nearest declared one; undefined if there is none. */
export function describeMissingHeads(read: readonly string[], declared: Iterable<string>): string | undefined {
  const known = new Set(declared);
  const missing = read.filter((head) => !known.has(head));
  if (missing.length === 0) return undefined;
  return missing
    .map((head) => {
      const nearest = findNearest(head, known);
      return `${SCORES}.${head}${nearest === undefined ? '' : ` (did you mean "${SCORES}.${nearest}"?)`}`;
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
