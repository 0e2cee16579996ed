import { assert } from '@perennial/kernel';

/** `any`: a number, a string or a boolean, as its use needs. */
export type VariableKind = 'number' | 'string' | 'boolean' | 'any';

/** A name that conditions may read, such as `features.orders_count_7d`. */
export interface Variable {
  readonly name: string;
  readonly kind: VariableKind;
  /** Its name within a group whose values are looked up by name, such as `churn` in `scores.churn`. */
  readonly member?: string;
  /** That group; absent where `member` is. */
  readonly group?: string;
  /** The keys that lead to it, for one that is looked up in an object. */
  readonly path?: readonly string[];
}

/** A variable's value; null, undefined and NaN all mean that it is missing. */
export type Value = number | string | boolean | null | undefined;

/** The declared variables. A condition receives their values as an array in the order of declaration. */
export interface VariableSet {
  readonly variables: readonly Variable[];
  readonly slots: ReadonlyMap<string, number>;
  /** The groups, such as `scores`, whose members are declared when a condition reads them, with their kind. */
  readonly openGroups: OpenGroups;
  /** The slot of a name, given with its segments; a member of an open group gets the next slot when a condition first reads it. */
  resolve(name: string, path: readonly string[]): number | undefined;
  /** Why a name cannot be read, where that is not just that nobody declared it. */
  explain?(path: readonly string[]): string | undefined;
  readonly onEvaluationError: OnEvaluationError;
}

/** Called with a condition that threw and counts as false. That is a defect, so it must be reported. Never throws. */
export type OnEvaluationError = (failure: { readonly source: string; readonly error: unknown }) => void;

/** The kind of the members, by the name of the group. */
export type OpenGroups = ReadonlyMap<string, VariableKind>;

const NO_GROUPS: OpenGroups = new Map();

const MEMBER_PATTERN = /^[a-z][a-z0-9_]{0,62}$/;

/**
 * Declares the variables that conditions may read, in the order in which their values are passed. Members of
 * `openGroups` need no declaration: the caller that parses a condition may not know which exist.
 */
export function declareVariables(
  declared: readonly Variable[],
  options: {
    readonly openGroups?: OpenGroups | undefined;
    readonly onEvaluationError?: OnEvaluationError | undefined;
  } = {},
): VariableSet {
  const variables = [...declared];
  const slots = new Map(variables.map(({ name }, slot) => [name, slot]));
  assert(slots.size === variables.length, 'variable names are unique');
  const { openGroups = NO_GROUPS, onEvaluationError = () => undefined } = options;

  function resolve(name: string, [group = '']: readonly string[]): number | undefined {
    const slot = slots.get(name);
    const kind = slot === undefined ? openGroups.get(group) : undefined;
    const member = kind === undefined ? undefined : toMember(group, name);
    if (kind === undefined || member === undefined) return slot;
    slots.set(name, variables.length);
    return variables.push({ name, kind, member, group }) - 1;
  }
  return { variables, slots, openGroups, resolve, onEvaluationError };
}

/** `churn` for `scores.churn` and the group `scores`; undefined for a name that is not a member of the group. */
export function toMember(group: string, name: string): string | undefined {
  if (!name.startsWith(`${group}.`)) return undefined;
  const member = name.slice(group.length + 1);
  return MEMBER_PATTERN.test(member) ? member : undefined;
}
