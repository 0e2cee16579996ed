import { CONTEXT_FIELDS } from '@perennial/contracts';
import { compileCondition, declareEventVariables, toEventValues } from '@perennial/expressions';
import { must } from '@perennial/kernel';
import { type FeatureDefinition, listFilters } from './definition.js';
import type { FeatureEvent } from './event.js';

/** A condition of filters. All that have the same text share one, so that an event is tested once. */
export interface EventCondition {
  holds(event: FeatureEvent): boolean;
  /** Called when an event has been folded: the next one may be the same object with other properties. */
  forget(): void;
}

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
export function listConditions(definitions: readonly FeatureDefinition[]): EventCondition[] {
  const texts = new Set(definitions.flatMap(listFilters).flatMap(({ where }) => where ?? []));
  return [...texts].map(conditionOf);
}

function createCondition(text: string): EventCondition {
  const variables = declareEventVariables(CONTEXT_FIELDS);
  const compiled = compileCondition(text, variables);
  const condition = must(compiled.ok ? compiled.condition : undefined, 'a valid condition');
  let tested: { readonly event: FeatureEvent; readonly holds: boolean } | undefined;
  return {
    holds(event) {
      if (tested?.event !== event) {
        tested = { event, holds: condition.test(toEventValues(event, variables)) };
      }
      return tested.holds;
    },
    forget() {
      tested = undefined;
    },
  };
}
