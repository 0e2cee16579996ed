import { readWorth, WORTH_FIELDS } from '@perennial/commerce';
import { readAmount } from './amount.js';
import type { AmountDefinition, FeatureDefinition } from './definition.js';
import type { FeatureEvent } from './event.js';
import { isOfWorth } from './of-worth.js';

/** True when a feature leaves out the amount of such an event: the property that it is read from is an outlier. */
export function isLeftOut(event: FeatureEvent, definition: AmountDefinition): boolean {
  const { outliers = [] } = event;
  if (outliers.length === 0 || definition.measure.outliers === undefined) return false;
  const property = findProperty(event, definition);
  return property !== undefined && outliers.includes(property);
}

/** The properties whose outliers features leave out; undefined for a spec that leaves none out. */
export function listLeftOut(definitions: readonly FeatureDefinition[]): readonly string[] | undefined {
  const leaving = definitions.filter(leavesOut);
  if (leaving.length === 0) return undefined;
  return [
    ...new Set(leaving.flatMap((one) => [...one.measure.properties, ...(isOfWorth(one) ? WORTH_FIELDS : [])])),
  ].sort();
}

/** True for a feature that leaves out outliers. */
export function leavesOut(definition: FeatureDefinition): definition is AmountDefinition {
  return 'measure' in definition && definition.measure.kind === 'amount' && definition.measure.outliers !== undefined;
}

/** The property that the amount of an event is read from. */
function findProperty({ name, worth, properties }: FeatureEvent, definition: AmountDefinition): string | undefined {
  if (worth !== undefined && isOfWorth(definition)) {
    const found = readWorth(name, properties);
    if (found.kind === 'amount') return found.field;
  }
  return definition.measure.properties.find((property) => readAmount(properties, [property]) !== undefined);
}
