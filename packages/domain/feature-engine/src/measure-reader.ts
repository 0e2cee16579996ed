import { TOP_RANKS_MAX } from './accumulators/tops.js';
import type { AmountMeasure, EventFilter, IdMeasure } from './definition.js';
import type { FieldReader } from './field-reader.js';
import { HOUR_MS, MINUTE_MS } from './time.js';

/** The events that a feature is of; undefined for all. `key` is the field that says which. */
export function readFilter(reader: FieldReader, key = 'event'): EventFilter | undefined {
  const field = reader.object(key, { isOptional: true });
  if (field === undefined) return undefined;
  const type = field.text('type');
  const rest = {
    ...(field.has('where') ? { where: field.condition('where') } : {}),
    ...(field.has('currency') ? { currency: readCurrency(field) } : {}),
  };
  if (!field.has('names')) {
    const name = field.has('name') ? field.text('name') : undefined;
    field.finish();
    return { type, name, ...rest };
  }
  // Sorted, and one name as a single one: the same events must give the same hash.
  const names = field.texts('names').toSorted();
  if (field.has('name')) field.reject('name', 'cannot stand beside "names"');
  field.finish();
  return names.length === 1 ? { type, name: names[0], ...rest } : { type, name: undefined, names, ...rest };
}

function readCurrency(field: FieldReader): string {
  return field.text('currency', { pattern: /^[A-Z]{3}$/, hint: 'a code of ISO 4217 in capitals, such as EUR' });
}

/** The filter that an event of the part passes besides that of the whole. */
export function readMatching(reader: FieldReader): EventFilter {
  const found = reader.has('matching') ? readFilter(reader, 'matching') : undefined;
  if (found === undefined) reader.reject('matching', 'is missing: it says which of the events are the part');
  return found ?? { type: '', name: undefined };
}

/** The amount that a feature adds up. */
export function readAmount(reader: FieldReader): AmountMeasure {
  const field = reader.object('measure');
  const measure = {
    kind: field?.literal('kind', 'amount') ?? 'amount',
    properties: field?.texts('properties') ?? [],
    absolute: field?.has('absolute') === true ? field.flag('absolute') : false,
    ...(field?.has('outliers') === true ? { outliers: field.literal('outliers', 'exclude') } : {}),
  };
  field?.finish();
  return measure;
}

/** The ids that a feature counts. */
export function readIds(reader: FieldReader): IdMeasure {
  const field = reader.object('measure');
  const measure = {
    kind: field?.literal('kind', 'id') ?? 'id',
    properties: field?.texts('properties') ?? [],
    list: field?.has('list') === true ? field.text('list') : undefined,
  };
  field?.finish();
  return measure;
}

/** After how many ms an event weighs half as much. */
export function readHalfLife(reader: FieldReader): number {
  return reader.duration('halfLife') ?? 0;
}

/** Place of an id among the most frequent; the first if none is given. */
export function readRank(reader: FieldReader): number {
  return reader.has('rank') ? reader.number('rank', { min: 1, max: TOP_RANKS_MAX, isWhole: true }) : 1;
}

/** Whose clocks a feature reads; nothing for UTC, which is the default. */
export function readZone(reader: FieldReader): { readonly zone?: 'local' } {
  return reader.has('zone') ? { zone: reader.literal('zone', 'local') } : {};
}

/** Longest time between two events of a session, in ms; half an hour if none is given. */
export function readGap(reader: FieldReader): number {
  return reader.has('gap') ? reader.gap('gap', { minMs: MINUTE_MS, maxMs: 12 * HOUR_MS }) : 30 * MINUTE_MS;
}
