import { assert } from '@perennial/kernel';

export type VariableKind = 'number' | 'string' | 'boolean';

/** A name that conditions may read, such as `features.orders_count_7d`. */
export interface Variable {
  readonly name: string;
  readonly kind: VariableKind;
}

/** A variable's value; null, undefined and NaN all mean that it is missing. */
export type Value = number | string | boolean | null | undefined;

/** The declared variables. Values are handed to a condition as an array in the order of declaration. */
export interface VariableSet {
  readonly variables: readonly Variable[];
  readonly slots: ReadonlyMap<string, number>;
  /** Evaluations that threw and were answered with false; zero unless there is a defect. */
  readonly stats: { evaluationErrors: number };
}

/** Declares the variables that conditions may read, in the order in which their values will be given. */
export function declareVariables(variables: readonly Variable[]): VariableSet {
  const slots = new Map(variables.map(({ name }, slot) => [name, slot]));
  assert(slots.size === variables.length, 'variable names are unique');
  return { variables, slots, stats: { evaluationErrors: 0 } };
}
