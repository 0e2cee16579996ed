import type { Condition } from './compile.js';
import { COMBINATIONS_MAX, toRepresentatives } from './event-scope.js';
import type { Value, Variable, VariableSet } from './variables.js';

const TYPES: Readonly<Record<Variable['kind'], readonly string[]>> = {
  number: ['number'],
  string: ['string'],
  boolean: ['boolean'],
  any: ['number', 'string', 'boolean'],
};

/**
 * Whether a condition has the same result whatever it reads: `true`, `false`, or undefined for one that may be both, or whose
 * form or size keeps it from being tried. `known` has the only values that a variable may have, such as `profile.stage`.
 * Exact for conditions that compare single values with literals, since one value of each kind between, below and above the literals
 * stands for all others.
 */
export function findConstant(
  condition: Condition,
  { variables, slots }: VariableSet,
  known: Readonly<Record<string, readonly Value[]>> = {},
): boolean | undefined {
  const { literals, reads } = condition;
  if (literals === undefined && reads.length > 0) return undefined;
  const all = toRepresentatives([...(literals ?? [])]);
  const choices = reads.map((name) => {
    const slot = slots.get(name) ?? 0;
    const types = TYPES[variables[slot]?.kind ?? 'any'];
    const values = known[name] ?? all.filter((value) => value === null || types.includes(typeof value));
    return { slot, values };
  });
  const combinations = choices.reduce((product, { values }) => product * values.length, 1);
  if (combinations > COMBINATIONS_MAX || combinations === 0) return undefined;
  let first: boolean | undefined;
  const values: Value[] = variables.map(() => null);
  for (let number = 0; number < combinations; number += 1) {
    let rest = number;
    for (const choice of choices) {
      values[choice.slot] = choice.values[rest % choice.values.length];
      rest = Math.floor(rest / choice.values.length);
    }
    const result = condition.test(values);
    first ??= result;
    if (result !== first) return undefined;
  }
  return first;
}
