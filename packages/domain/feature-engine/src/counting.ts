import { toCanonicalJson } from './canonical.js';
import type { UsedCondition } from './conditions.js';
import type { AmountDefinition, FeatureDefinition, IdMeasure } from './definition.js';
import type { Predicate } from './named.js';
import { createAmountStreams, createIdStream, toFilterPredicate } from './streams.js';

/** Features that take something of the same events. */
export interface CountingFeatures {
  readonly features: readonly string[];
  /** Whether they do of this event: it passes their filter, and has the amount or an id that they measure. */
  takes(event: Parameters<Predicate>[0]): boolean;
}

type IdDefinition = Extract<FeatureDefinition, { measure: IdMeasure }>;

/** The features of definitions by the events that they take something of; a ratio takes nothing itself. */
export function listCounting(
  definitions: readonly FeatureDefinition[],
  conditions: readonly UsedCondition[],
): readonly CountingFeatures[] {
  const groups = new Map<string, { readonly features: string[]; readonly takes: Predicate }>();
  for (const definition of definitions) {
    if (definition.aggregation === 'ratio') continue;
    const measure = 'measure' in definition ? { measure: definition.measure, unit: definition.unit } : {};
    const key = toCanonicalJson({ event: definition.event, ...measure });
    const group = groups.get(key) ?? { features: [], takes: toTakes(definition) };
    groups.set(key, group);
    group.features.push(definition.name);
  }
  return [...groups.values()].map(({ features, takes }) => ({
    features,
    takes(event) {
      const isTaken = takes(event);
      for (const { condition } of conditions) condition.forget();
      return isTaken;
    },
  }));
}

function toTakes(definition: FeatureDefinition): Predicate {
  if (!('measure' in definition)) return toFilterPredicate(definition.event);
  if (isOfIds(definition)) {
    const stream = createIdStream(definition.event, definition.measure);
    return (event) => stream.toIds(event).length > 0;
  }
  const { known } = createAmountStreams(definition);
  return (event) => known.toNumber(event) !== 0;
}

function isOfIds(definition: AmountDefinition | IdDefinition): definition is IdDefinition {
  return definition.measure.kind === 'id';
}
