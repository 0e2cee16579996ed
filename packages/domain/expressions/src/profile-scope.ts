import { declareVariables, type Value, type VariableSet } from './variables.js';

/** What the model says of a profile; NaN or null where it says nothing. */
export interface Scores {
  /** Probability of at least one purchase in the model's horizon. */
  readonly purchase: number | null;
  /** Probability of none. */
  readonly churn: number | null;
  readonly expectedSpend: number | null;
}

/** All that conditions about a profile may read. Absent parts are missing values. */
export interface ProfileFacts {
  /** Features in the order of the names that the variables were declared with. */
  readonly features: readonly (number | null)[];
  readonly scores?: Scores | undefined;
  readonly stage?: string | undefined;
  readonly daysInStage?: number | undefined;
  readonly daysSinceEvent?: number | undefined;
  /** The event that is being handled; absent for a timer. */
  readonly event?: { readonly type: string; readonly name: string } | undefined;
}

/** The variables of every condition about a profile: scores, stage, event, then `features.<name>` for each feature. */
export function declareProfileVariables(featureNames: readonly string[]): VariableSet {
  return declareVariables([
    { name: 'scores.purchase', kind: 'number' },
    { name: 'scores.churn', kind: 'number' },
    { name: 'scores.expected_spend', kind: 'number' },
    { name: 'profile.stage', kind: 'string' },
    { name: 'profile.days_in_stage', kind: 'number' },
    { name: 'profile.days_since_event', kind: 'number' },
    { name: 'event.type', kind: 'string' },
    { name: 'event.name', kind: 'string' },
    ...featureNames.map((name) => ({ name: `features.${name}`, kind: 'number' as const })),
  ]);
}

/** The values of those variables, in the order of their declaration. */
export function toProfileValues(facts: ProfileFacts): readonly Value[] {
  const { scores, event } = facts;
  const values: Value[] = [
    scores?.purchase,
    scores?.churn,
    scores?.expectedSpend,
    facts.stage,
    facts.daysInStage,
    facts.daysSinceEvent,
    event?.type,
    event?.name,
  ];
  for (const feature of facts.features) values.push(feature);
  return values;
}

/** The values that a condition read, by name; missing ones are null. */
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

/** Evidence in words, such as `scores.churn = 0.71`; numbers are rounded to three decimals. */
export function toReasons(evidence: Readonly<Record<string, number | string | boolean | null>>): string[] {
  return Object.entries(evidence).map(([name, value]) => {
    if (value === null) return `${name} is missing`;
    return `${name} = ${typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value}`;
  });
}
