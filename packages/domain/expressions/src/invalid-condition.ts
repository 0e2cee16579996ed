import { type ASTNode, ParseError } from '@marcbachmann/cel-js';
import { toMessage } from '@perennial/kernel';
import { findNearest } from './nearest.js';
import { toMember, type VariableSet } from './variables.js';

/** Why a condition is invalid; `start` and `end` are offsets into its text. */
export interface ConditionProblem {
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly suggestion?: string;
}

/** Thrown while a condition is compiled, and turned into its problem there. */
class InvalidCondition extends Error {
  readonly problem: ConditionProblem;

  constructor(problem: ConditionProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** What a node is in the condition's text. */
export function textOf(node: ASTNode): string {
  return node.input.slice(node.start, node.end);
}

export function throwInvalid(node: ASTNode, message: string): never {
  throw new InvalidCondition({ message, start: node.start, end: node.end });
}

export function throwUnknownFunction(node: ASTNode, name: string, known: readonly string[]): never {
  const suggestion = findNearest(name, known);
  throw new InvalidCondition({
    message: `unknown function "${name}"`,
    start: node.start,
    end: node.end,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** The problem that an error while compiling means. */
export function toProblem(error: unknown, source: string): ConditionProblem {
  if (error instanceof InvalidCondition) return error.problem;
  if (error instanceof ParseError) {
    const start = Math.min(error.range?.start ?? 0, source.length);
    return { message: `not a CEL condition: ${error.summary}`, start, end: error.range?.end ?? start };
  }
  return { message: `not a CEL condition: ${toMessage(error)}`, start: 0, end: source.length };
}
/** Throws for a name that is not declared, with the one that was most likely meant. */
export function throwUnknownName(node: ASTNode, path: readonly string[], variables: VariableSet): never {
  const name = path.join('.');
  const why = variables.explain?.(path);
  if (why !== undefined) throwInvalid(node, why);
  const names = [...variables.slots.keys()];
  const members = names.filter((known) => known.startsWith(`${name}.`));
  if (variables.openGroups.has(name)) throwInvalid(node, `"${name}" is a group of values; name one of them`);
  if (members.length > 0) throwInvalid(node, `"${name}" is a group of values; name one, such as "${members[0]}"`);
  const suggestion = findNearest(name, names) ?? findInGroup(name, names) ?? findInOpenGroup(name, variables);
  throw new InvalidCondition({
    message: `unknown name "${name}"`,
    start: node.start,
    end: node.end,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** Second attempt for short names: group and member are compared separately. */
function findInGroup(name: string, names: readonly string[]): string | undefined {
  const [group = '', ...rest] = name.split('.');
  const nearGroup = findNearest(group, new Set(names.map((known) => known.split('.')[0] ?? '')));
  if (nearGroup === undefined) return undefined;
  const nearMember = findNearest(
    rest.join('.'),
    names.filter((known) => known.startsWith(`${nearGroup}.`)).map((known) => known.slice(nearGroup.length + 1)),
  );
  return nearMember === undefined ? undefined : `${nearGroup}.${nearMember}`;
}

/** `score.churn` most likely means `scores.churn`, even if the members of the group are not known. */
function findInOpenGroup(name: string, { openGroups }: VariableSet): string | undefined {
  const [group = '', ...rest] = name.split('.');
  const nearest = openGroups.has(group) ? undefined : findNearest(group, openGroups.keys());
  if (nearest === undefined) return undefined;
  const meant = `${nearest}.${rest.join('.')}`;
  return toMember(nearest, meant) === undefined ? undefined : meant;
}
