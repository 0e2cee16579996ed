import { findRepeated, isFiniteNumber, isObject, isText, type Problems, readList, toText } from './fields.js';
import {
  HEAD_KINDS,
  HEADS_MAX,
  type Head,
  type HeadKind,
  HORIZON_DAYS_MAX,
  MEANING_LENGTH_MAX,
  type TensorDeclaration,
  UNIT_LENGTH_MAX,
} from './manifest.js';

const NAME_PATTERN = /^[a-z][a-z0-9_]{0,62}$/;

/** Reserved words of CEL: `scores.in` is no valid expression. */
const RESERVED_WORDS: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop namespace null package return true var void while'.split(
    ' ',
  ),
);

const RANGES: Readonly<Record<HeadKind, Head['range']>> = {
  probability: { min: 0, max: 1 },
  amount: { min: 0, max: Number.MAX_VALUE },
  count: { min: 0, max: Number.MAX_VALUE },
  number: { min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
};

/** Reads `heads`, and checks each against the outputs; undefined outputs are those that could not be read. */
export function readHeads(
  value: unknown,
  outputs: readonly TensorDeclaration[] | undefined,
  problems: Problems,
): readonly Head[] {
  const heads = readList(value, { name: 'heads', of: 'heads', itemsMax: HEADS_MAX }, problems, (item, where) =>
    readHead(item, where, problems),
  );
  for (const name of findRepeated(heads.map((head) => head.name))) problems.add(`the head ${name} is declared twice`);
  if (outputs !== undefined) for (const head of heads) checkPlace(head, outputs, problems);
  for (const place of findRepeated(heads.map(({ output, column }) => `column ${column} of ${output}`))) {
    problems.add(`two heads are ${place}`);
  }
  return heads;
}

function readHead(item: unknown, where: string, problems: Problems): Head | undefined {
  if (!isObject(item)) {
    problems.add(`${where} must be an object`);
    return undefined;
  }
  const { name, output, column = 0, meaning, kind, horizonDays, unit = '' } = item;
  const isNamed = readName(name, where, problems);
  const sound = [
    isNamed,
    problems.check(isText(output), `${where}.output must be the name of an output tensor`),
    problems.check(
      Number.isSafeInteger(column) && Number(column) >= 0,
      `${where}.column must be a whole number from 0`,
    ),
    problems.check(
      isText(meaning, MEANING_LENGTH_MAX),
      `${where}.meaning must be a text of 1 to ${MEANING_LENGTH_MAX} characters`,
    ),
    problems.check(isKind(kind), `${where}.kind must be one of ${HEAD_KINDS.join(', ')}, it is ${toText(kind)}`),
    problems.check(isHorizon(horizonDays), `${where}.horizonDays must be days up to ${HORIZON_DAYS_MAX}, or absent`),
    checkUnit(unit, kind, where, problems),
  ].every(Boolean);
  const range = isKind(kind) ? readRange(item, { kind, where }, problems) : undefined;
  if (!sound || range === undefined) return undefined;
  // Each has been checked above.
  const read = { name, output, column, meaning, kind, unit } as Pick<
    Head,
    'name' | 'output' | 'column' | 'meaning' | 'kind' | 'unit'
  >;
  return { ...read, horizonDays: horizonDays as number | undefined, range };
}

function readName(name: unknown, where: string, problems: Problems): boolean {
  if (typeof name === 'string' && RESERVED_WORDS.has(name)) {
    problems.add(`${where}.name must not be ${name}, a word of the condition language`);
    return false;
  }
  return problems.check(
    typeof name === 'string' && NAME_PATTERN.test(name),
    `${where}.name must be 1 to 63 lower-case letters, digits and _, a letter first, it is ${toText(name)}`,
  );
}

/** A probability has no unit of its own; an amount must declare its unit. */
function checkUnit(unit: unknown, kind: unknown, where: string, problems: Problems): boolean {
  const needed = kind === 'amount' || kind === 'count';
  return problems.check(
    isText(unit, UNIT_LENGTH_MAX) || (unit === '' && !needed),
    `${where}.unit must be a text of 1 to ${UNIT_LENGTH_MAX} characters`,
  );
}

/** The range of the kind, narrowed by `min` and `max` where the head declares them. */
function readRange(
  { min, max }: Record<string, unknown>,
  { kind, where }: { readonly kind: HeadKind; readonly where: string },
  problems: Problems,
): Head['range'] | undefined {
  const widest = RANGES[kind];
  for (const [name, value] of Object.entries({ min, max })) {
    if (value === undefined || (isFiniteNumber(value) && value >= widest.min && value <= widest.max)) continue;
    problems.add(`${where}.${name} must be a number that a ${kind} can be, it is ${toText(value)}`);
    return undefined;
  }
  const range = { min: (min as number | undefined) ?? widest.min, max: (max as number | undefined) ?? widest.max };
  return problems.check(range.min < range.max, `${where}.min must be below max`) ? range : undefined;
}

function checkPlace({ name, output, column }: Head, outputs: readonly TensorDeclaration[], problems: Problems): void {
  const tensor = outputs.find((candidate) => candidate.name === output);
  if (tensor === undefined) {
    problems.add(`the head ${name} is of output ${output}, which is not among the outputs`);
    return;
  }
  const columns = tensor.shape[1] ?? 1;
  problems.check(
    column < columns,
    `the head ${name} is column ${column} of output ${output}, which has ${columns} (counted from 0)`,
  );
}

function isKind(kind: unknown): kind is HeadKind {
  return HEAD_KINDS.some((known) => known === kind);
}

function isHorizon(days: unknown): boolean {
  return days === undefined || (isFiniteNumber(days) && days > 0 && days <= HORIZON_DAYS_MAX);
}
