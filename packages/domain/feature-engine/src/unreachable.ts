import { CONTEXT_FIELDS } from '@perennial/contracts';
import { canHold, compileCondition, declareEventVariables, findNearest } from '@perennial/expressions';
import type { EventFilter, FeatureDefinition } from './definition.js';
import type { SpecProblem } from './spec-problem.js';

/** Types of events, by whether those have names. */
const NAMED: Readonly<Record<string, boolean>> = {
  track: true,
  page: true,
  screen: true,
  identify: false,
  group: false,
  alias: false,
  outcome: true,
  contact: true,
  consent: false,
};

/**
 * The filters that no event can pass: most likely a mistake of the author. Not asked of an artifact, which may be in force
 * already.
 */
export function listUnreachable(definitions: readonly FeatureDefinition[]): SpecProblem[] {
  return definitions.flatMap((definition, index) => {
    const filters = { event: definition.event, matching: 'matching' in definition ? definition.matching : undefined };
    return Object.entries(filters).flatMap(([key, filter]) =>
      filter === undefined ? [] : listFilterProblems(filter, ['features', index, key]),
    );
  });
}

function listFilterProblems(filter: EventFilter, path: SpecProblem['path']): SpecProblem[] {
  const { type, name, names = [], where } = filter;
  const problems: SpecProblem[] = [];
  const isNamed = Object.hasOwn(NAMED, type) ? NAMED[type] : undefined;
  if (isNamed === undefined) {
    const suggestion = findNearest(type, Object.keys(NAMED));
    const message = `no event is of the type ${JSON.stringify(type)}, so nothing passes this filter`;
    problems.push({ path: [...path, 'type'], message, suggestion });
  } else if (!isNamed && (name !== undefined || names.length > 0)) {
    const key = name === undefined ? 'names' : 'name';
    problems.push({
      path: [...path, key],
      message: `an event of the type ${type} has no name, so nothing passes this filter`,
    });
  }
  if (where !== undefined && !isPossible(where)) {
    problems.push({ path: [...path, 'where'], message: 'no event can fulfil this condition' });
  }
  return problems;
}

function isPossible(where: string): boolean {
  const variables = declareEventVariables(CONTEXT_FIELDS);
  const compiled = compileCondition(where, variables);
  return !compiled.ok || canHold(compiled.condition, variables);
}
