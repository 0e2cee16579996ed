import { readField } from '@perennial/commerce';
import { findAmountProblem, readId } from './amount.js';
import { toCanonicalJson } from './canonical.js';
import type { UsedCondition } from './conditions.js';
import type { AmountDefinition, FeatureDefinition, IdMeasure } from './definition.js';
import type { FeatureEvent } from './event.js';
import type { Predicate } from './named.js';
import { isOfWorth } from './of-worth.js';
import { toFilterPredicate } from './streams.js';

/**
 * Why a value that an event has is in no feature: a list, an object, a truth value or a text that is no number; a number
 * beyond what counts as an amount.
 */
type UnreadReason = 'wrong_type' | 'out_of_range';

/** An event has a value for this feature that cannot be taken. The event counts as one without it. */
export interface UnreadValue {
  readonly feature: string;
  readonly reason: UnreadReason;
}

/** What features read of properties, and the features that do, each with its filter. */
export interface UsedMeasure {
  find(event: FeatureEvent): UnreadReason | undefined;
  readonly readers: ReadonlyArray<{ readonly feature: string; readonly passes: Predicate }>;
}

type MeasureDefinition = Extract<FeatureDefinition, { measure: unknown }>;

const NOTHING: readonly UnreadValue[] = [];

/** See `CompiledFeatures.findUnread`. Filters are asked only about events that have such a value: hardly any. */
export function findUnread(
  {
    measures,
    conditions,
  }: { readonly measures: readonly UsedMeasure[]; readonly conditions: readonly UsedCondition[] },
  event: FeatureEvent,
): readonly UnreadValue[] {
  let found: UnreadValue[] | undefined;
  for (const { find, readers } of measures) {
    const reason = find(event);
    if (reason === undefined) continue;
    found ??= [];
    for (const { feature, passes } of readers) {
      if (passes(event)) found.push({ feature, reason });
    }
  }
  if (found === undefined) return NOTHING;
  // Those that threw were reported when the event was folded.
  for (const { condition } of conditions) condition.forget();
  return found;
}

/** The measures of definitions, each once. */
export function listMeasures(definitions: readonly FeatureDefinition[]): UsedMeasure[] {
  const measures = new Map<string, { find: UsedMeasure['find']; readers: Array<UsedMeasure['readers'][number]> }>();
  for (const definition of definitions) {
    if (!('measure' in definition)) continue;
    const isWorth = isOfAmount(definition) && isOfWorth(definition);
    const key = toCanonicalJson({ measure: definition.measure, isWorth });
    const used = measures.get(key) ?? { find: toFind(definition.measure, { isWorth }), readers: [] };
    measures.set(key, used);
    used.readers.push({ feature: definition.name, passes: toFilterPredicate(definition.event) });
  }
  return [...measures.values()];
}

function isOfAmount(definition: MeasureDefinition): definition is AmountDefinition {
  return definition.measure.kind === 'amount';
}

function toFind(
  measure: MeasureDefinition['measure'],
  { isWorth }: { readonly isWorth: boolean },
): UsedMeasure['find'] {
  if (measure.kind === 'id') return ({ properties }) => findUnreadId(properties, measure);
  return (event) =>
    isWorth && event.worth !== undefined ? undefined : findUnreadAmount(event.properties, measure.properties);
}

/** The first property that is an amount is used, whatever the others are. */
function findUnreadAmount(properties: unknown, names: readonly string[]): UnreadReason | undefined {
  let first: UnreadReason | undefined;
  for (const name of names) {
    const value = readField(properties, name);
    if (isAbsent(value)) continue;
    const problem = findAmountProblem(value);
    if (problem === undefined) return undefined;
    first ??= problem;
  }
  return first;
}

/** Of a list it is enough that one item has no id where it has something else. */
function findUnreadId(properties: unknown, { list, properties: names }: IdMeasure): UnreadReason | undefined {
  const listed = list === undefined ? undefined : readField(properties, list);
  if (Array.isArray(listed)) return listed.some((item) => isUnreadItem(item, names)) ? 'wrong_type' : undefined;
  const isUnread = isAbsent(listed) ? hasUnreadId(properties, names) : readId(properties, names) === undefined;
  return isUnread ? 'wrong_type' : undefined;
}

function isUnreadItem(item: unknown, names: readonly string[]): boolean {
  return typeof item === 'object' ? hasUnreadId(item, names) : !isAbsent(item);
}

function hasUnreadId(thing: unknown, names: readonly string[]): boolean {
  return readId(thing, names) === undefined && names.some((name) => !isAbsent(readField(thing, name)));
}

/** An empty text is how many senders say that there is nothing. */
function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}
