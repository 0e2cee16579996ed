import { assert } from '@perennial/kernel';

export type VariableKind = 'number' | 'string' | 'boolean';

/** A name that conditions may read, such as `features.orders_count_7d`. */
export interface Variable {
  readonly name: string;
  readonly kind: VariableKind;
  /** Its name within a group whose values are looked up by name, such as `churn` of `scores.churn`. */
  readonly member?: string;
}

/** A variable's value; null, undefined and NaN all mean that it is missing. */
export type Value = number | string | boolean | null | undefined;

/** The declared variables. Values are handed to a condition as an array in the order of declaration. */
export interface VariableSet {
  readonly variables: readonly Variable[];
  readonly slots: ReadonlyMap<string, number>;
  /** The group, such as `scores`, whose members are declared by the conditions that read them; undefined for none. */
  readonly openGroup: string | undefined;
  /** The slot of a name; a member of the open group that no condition has read yet gets the next one. */
  resolve(name: string): number | undefined;
  readonly onEvaluationError: OnEvaluationError;
}

/** Gets a condition that threw and was therefore taken as false: a defect, so somebody must hear of it. It never throws. */
export type OnEvaluationError = (failure: { readonly source: string; readonly error: unknown }) => void;

const MEMBER_PATTERN = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * Declares the variables that conditions may read, in the order in which their values will be given. Members of
 * `openGroup` (numbers) need no declaration: who parses a condition may not know which there will be.
 */
export function declareVariables(
  declared: readonly Variable[],
  options: {
    readonly openGroup?: string | undefined;
    readonly onEvaluationError?: OnEvaluationError | undefined;
  } = {},
): VariableSet {
  const variables = [...declared];
  const slots = new Map(variables.map(({ name }, slot) => [name, slot]));
  assert(slots.size === variables.length, 'variable names are unique');
  const { openGroup, onEvaluationError = () => undefined } = options;

  function resolve(name: string): number | undefined {
    const slot = slots.get(name);
    const member = slot === undefined ? toMember(openGroup, name) : undefined;
    if (member === undefined) return slot;
    slots.set(name, variables.length);
    return variables.push({ name, kind: 'number', member }) - 1;
  }
  return { variables, slots, openGroup, resolve, onEvaluationError };
}

/** `churn` of `scores.churn` for the group `scores`; undefined for what is no member of the group. */
export function toMember(group: string | undefined, name: string): string | undefined {
  if (group === undefined || !name.startsWith(`${group}.`)) return undefined;
  const member = name.slice(group.length + 1);
  return MEMBER_PATTERN.test(member) ? member : undefined;
}
