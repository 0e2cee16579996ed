import type { Condition } from './compile.js';
import type { Value, Variable, VariableSet } from './variables.js';

const PROPERTIES = 'properties';

/** Properties that one condition may read: bounds what an event costs. */
const PROPERTIES_MAX = 16;
/** Levels of nested properties. */
const LEVELS_MAX = 8;

/**
 * The variables of a condition about one event: `properties.<name>`, nested ones too, of any kind. Which there are is up to
 * the sender, so each is declared when the condition reads it: a set is for one condition.
 */
export function declareEventVariables(): VariableSet {
  const variables: Variable[] = [];
  /** By their segments: the name of a property may hold a dot. */
  const known = new Map<string, number>();

  function explain(path: readonly string[]): string | undefined {
    const [group, ...keys] = path;
    if (group === 'context') return 'an accepted event has no context: send the value as a property, or as a trait';
    if (group !== PROPERTIES || keys.length === 0) return undefined;
    if (keys.length > LEVELS_MAX) return `properties are read ${LEVELS_MAX} levels deep at most`;
    return variables.length < PROPERTIES_MAX ? undefined : `a condition reads ${PROPERTIES_MAX} properties at most`;
  }

  function resolve(name: string, path: readonly string[]): number | undefined {
    const key = JSON.stringify(path);
    const slot = known.get(key);
    if (slot !== undefined) return slot;
    if (path[0] !== PROPERTIES || path.length < 2 || explain(path) !== undefined) return undefined;
    known.set(key, variables.length);
    return variables.push({ name, kind: 'any', path: path.slice(1) }) - 1;
  }
  return { variables, slots: new Map(), openGroup: PROPERTIES, resolve, explain, onEvaluationError: () => undefined };
}

/** The values of those variables in an event's properties; what is no number, text or truth value is missing. */
export function toEventValues(properties: unknown, { variables }: VariableSet): readonly Value[] {
  return variables.map(({ path }) => toValue(findValue(properties, path ?? [])));
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
const COMBINATIONS_MAX = 20_000;

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
function toRepresentatives(literals: readonly Value[]): Value[] {
  const numbers = literals.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const texts = literals.filter((value) => typeof value === 'string');
  const between = numbers.map((value, index) => (value + (numbers[index + 1] ?? Number.MAX_VALUE)) / 2);
  // The least text above another one is that text with a NUL behind it.
  const above = texts.map((text) => `${text}\0`);
  return [null, true, false, -Number.MAX_VALUE, 0, ...numbers, ...between, '', ...texts, ...above];
}
