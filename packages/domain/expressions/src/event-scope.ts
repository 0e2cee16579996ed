import type { Condition } from './compile.js';
import { findNearest } from './nearest.js';
import type { OnEvaluationError, OpenGroups, Value, Variable, VariableSet } from './variables.js';

const PROPERTIES = 'properties';
const CONTEXT = 'context';

/** Values that one condition may read: bounds what an event costs. */
const VALUES_MAX = 16;
/** Levels of nested properties. */
const LEVELS_MAX = 8;

/** The fields of a context that may be read, by group; '' for those of the context itself. */
type ContextFields = Readonly<Record<string, readonly string[]>>;

/**
 * The variables of a condition about one event: `properties.<name>`, nested ones too, and the given fields of `context`, of any
 * kind. Which properties there are is up to the sender, so each variable is declared when the condition reads it: a set is
 * for one condition. `onEvaluationError` is called when that throws; without it nobody notices.
 */
export function declareEventVariables(
  contextFields: ContextFields,
  { onEvaluationError = () => undefined }: { readonly onEvaluationError?: OnEvaluationError | undefined } = {},
): VariableSet {
  const variables: Variable[] = [];
  /** By their segments: the name of a property may hold a dot. */
  const known = new Map<string, number>();
  const contextNames = listContextNames(contextFields);

  function explain(path: readonly string[]): string | undefined {
    const [group, ...keys] = path;
    if (keys.length === 0) return undefined;
    if (group === CONTEXT && !contextNames.includes(path.join('.')))
      return explainContext(path.join('.'), contextNames);
    if (group !== CONTEXT && group !== PROPERTIES) return undefined;
    if (keys.length > LEVELS_MAX) return `properties are read ${LEVELS_MAX} levels deep at most`;
    return variables.length < VALUES_MAX ? undefined : `a condition reads ${VALUES_MAX} values at most`;
  }

  function resolve(name: string, path: readonly string[]): number | undefined {
    const key = JSON.stringify(path);
    const slot = known.get(key);
    if (slot !== undefined) return slot;
    const [group = ''] = path;
    if ((group !== PROPERTIES && group !== CONTEXT) || path.length < 2 || explain(path) !== undefined) return undefined;
    known.set(key, variables.length);
    return variables.push({ name, kind: 'any', path }) - 1;
  }
  const openGroups: OpenGroups = new Map([[PROPERTIES, 'any']]);
  return { variables, slots: new Map(), openGroups, resolve, explain, onEvaluationError };
}

function listContextNames(fields: ContextFields): string[] {
  return Object.entries(fields).flatMap(([group, names]) =>
    names.map((name) => [CONTEXT, group, name].filter((part) => part !== '').join('.')),
  );
}

/** Most of a context says who or where somebody is, and goes no further than the front door. */
function explainContext(name: string, known: readonly string[]): string {
  const nearest = findNearest(name, known);
  const hint = nearest === undefined ? '' : `, did you mean "${nearest}"?`;
  return `"${name}" is not carried with events; of the context there are ${known.join(', ')}${hint}`;
}

/** What a condition about an event reads. */
interface EventFacts {
  readonly properties: unknown;
  readonly context?: unknown;
}

/** The values of those variables for an event; what is no number, text or truth value is missing. */
export function toEventValues(facts: EventFacts, { variables }: VariableSet): readonly Value[] {
  return variables.map(({ path = [] }) => {
    const [group, ...keys] = path;
    return toValue(findValue(group === CONTEXT ? facts.context : facts.properties, keys));
  });
}

function findValue(properties: unknown, path: readonly string[]): unknown {
  let value = properties;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function toValue(value: unknown): Value {
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean' ? value : null;
}

/** Combinations of values that are tried: more take too long for a file that a person waits for. */
export const COMBINATIONS_MAX = 20_000;

/**
 * False when no event can fulfil a condition, such as `properties.plan == "a" && properties.plan == "b"`. Exact for those
 * that compare single properties with literals: one value of each kind between, below and above the literals stands for
 * all others. True for any other condition.
 */
export function canHold(condition: Condition, { variables }: VariableSet): boolean {
  const { literals } = condition;
  if (literals === undefined) return true;
  const candidates = toRepresentatives([...literals]);
  const combinations = candidates.length ** variables.length;
  if (combinations > COMBINATIONS_MAX) return true;
  for (let number = 0; number < combinations; number += 1) {
    let rest = number;
    const values = variables.map(() => {
      const value = candidates[rest % candidates.length];
      rest = Math.floor(rest / candidates.length);
      return value;
    });
    if (condition.test(values)) return true;
  }
  return false;
}

/** Every value of a property behaves as one of these in comparisons with the literals. */
export function toRepresentatives(literals: readonly Value[]): Value[] {
  const numbers = literals.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const texts = literals.filter((value) => typeof value === 'string');
  const between = numbers.map((value, index) => (value + (numbers[index + 1] ?? Number.MAX_VALUE)) / 2);
  // The least text above another one is that text with a NUL behind it.
  const above = texts.map((text) => `${text}\0`);
  return [null, true, false, -Number.MAX_VALUE, 0, ...numbers, ...between, '', ...texts, ...above];
}
