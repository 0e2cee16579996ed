import { CONTEXT_FIELDS } from '@perennial/contracts';
import { compileCondition, declareEventVariables, type OnEvaluationError, toEventValues } from '@perennial/expressions';
import { must } from '@perennial/kernel';
import { type FeatureDefinition, listFilters } from './definition.js';
import type { FeatureEvent } from './event.js';
import { type Predicate, toNamedPredicate } from './named.js';

/** A condition of filters. All that have the same text share one, so that an event is tested once. */
export interface EventCondition {
  holds(event: FeatureEvent): boolean;
  /** What it threw since the last `forget`, in which case it did not hold: a defect, so it must be reported. */
  readonly failure: ConditionFailure | undefined;
  /** Called when an event has been folded: the next one may be the same object with other properties. */
  forget(): void;
}

type ConditionFailure = Parameters<OnEvaluationError>[0];

/** A condition of a spec, with the features that have it in a filter, and what else such an event is. */
export interface UsedCondition {
  readonly condition: EventCondition;
  readonly readers: ReadonlyArray<{ readonly feature: string; readonly isNamed: Predicate }>;
}

/** A condition of filters that threw on an event, and so did not hold for these features. */
export type FailedCondition = ConditionFailure & { readonly features: readonly string[] };

/** Why a text is no condition; `start` is the offset into it. */
interface ConditionProblem {
  readonly message: string;
  readonly start: number;
  readonly suggestion?: string;
}

/** By text. Never removed: specs are kept as long as the process lives, too, and are bounded in number. */
const known = new Map<string, EventCondition>();

/** What is wrong with a text as a condition about an event; undefined for nothing. */
export function findConditionProblem(text: string): ConditionProblem | undefined {
  const compiled = compileCondition(text, declareEventVariables(CONTEXT_FIELDS));
  return compiled.ok ? undefined : compiled.problem;
}

/** The condition of a text that `findConditionProblem` finds nothing wrong with. */
export function conditionOf(text: string): EventCondition {
  const found = known.get(text) ?? createCondition(text);
  known.set(text, found);
  return found;
}

/** The conditions that definitions read, each once. */
export function listConditions(definitions: readonly FeatureDefinition[]): UsedCondition[] {
  const readers = new Map<string, Array<UsedCondition['readers'][number]>>();
  for (const definition of definitions) {
    const named: Predicate[] = [];
    for (const filter of listFilters(definition)) {
      named.push(toNamedPredicate(filter));
      const { where } = filter;
      if (where === undefined) continue;
      // A part is asked for only of events of the whole.
      const all = [...named];
      const found = readers.get(where) ?? [];
      readers.set(where, found);
      found.push({ feature: definition.name, isNamed: (event) => all.every((passes) => passes(event)) });
    }
  }
  return [...readers].map(([text, found]) => ({ condition: conditionOf(text), readers: found }));
}

/** Forgets what an event made of them; gives those that threw on it, undefined for none. */
export function forgetTested(conditions: readonly UsedCondition[], event: FeatureEvent): FailedCondition[] | undefined {
  let failed: FailedCondition[] | undefined;
  for (const { condition, readers } of conditions) {
    const { failure } = condition;
    if (failure !== undefined) {
      const names = readers.filter(({ isNamed }) => isNamed(event)).map(({ feature }) => feature);
      failed ??= [];
      failed.push({ ...failure, features: [...new Set(names)] });
    }
    condition.forget();
  }
  return failed;
}

function createCondition(text: string): EventCondition {
  let failure: ConditionFailure | undefined;
  const onEvaluationError: OnEvaluationError = (thrown) => {
    failure = thrown;
  };
  const variables = declareEventVariables(CONTEXT_FIELDS, { onEvaluationError });
  const compiled = compileCondition(text, variables);
  const condition = must(compiled.ok ? compiled.condition : undefined, 'a valid condition');
  let tested: { readonly event: FeatureEvent; readonly holds: boolean } | undefined;
  return {
    get failure() {
      return failure;
    },
    holds(event) {
      if (tested?.event !== event) {
        tested = { event, holds: condition.test(toEventValues(event, variables)) };
      }
      return tested.holds;
    },
    forget() {
      tested = undefined;
      failure = undefined;
    },
  };
}
