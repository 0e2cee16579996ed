import type { EventFilter } from './definition.js';
import type { FeatureEvent } from './event.js';

/** Whether an event passes a filter. */
export type Predicate = (event: FeatureEvent) => boolean;

/** All of a filter but its condition: the type, name and currency of an event. */
export function toNamedPredicate(filter: EventFilter): Predicate {
  const { currency } = filter;
  const isOfName = toNamePredicate(filter);
  return currency === undefined ? isOfName : (event) => event.currency === currency && isOfName(event);
}

function toNamePredicate({ type, name, names }: EventFilter): Predicate {
  if (names !== undefined) {
    const known = new Set(names);
    return (event) => event.type === type && known.has(event.name);
  }
  if (name === undefined) return (event) => event.type === type;
  return (event) => event.type === type && event.name === name;
}
