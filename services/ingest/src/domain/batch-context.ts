import { isAbsent, isJsonObject, type JsonObject } from './parse-properties.js';
import { pickContext } from './pick-context.js';

/**
 * The fields of a batch's `context` that ingest reads of an event, besides those that it carries. Only these are merged: 2,500 copies of all of a large
 * context would cost a second of work, and nobody reads the rest.
 */
const FIELDS = ['timezone', 'currency'] as const;

/** The part of a batch's `context` that its events inherit; undefined for none. */
export function parseBatchContext(value: unknown): JsonObject | undefined {
  if (!isJsonObject(value)) return undefined;
  const known = FIELDS.filter((field) => Object.hasOwn(value, field) && !isAbsent(value[field]));
  const inherited = { ...pickContext(value), ...Object.fromEntries(known.map((field) => [field, value[field]])) };
  return Object.keys(inherited).length === 0 ? undefined : inherited;
}

/** An event of a batch with what it inherits; what it says itself wins, null and '' say nothing. */
export function withBatchContext(item: unknown, inherited: JsonObject | undefined): unknown {
  if (inherited === undefined || !isJsonObject(item)) return item;
  const own = isJsonObject(item.context) ? item.context : {};
  const missing = Object.keys(inherited).filter((field) => !Object.hasOwn(own, field) || isAbsent(own[field]));
  if (missing.length === 0) return item;
  const added = Object.fromEntries(missing.map((field) => [field, inherited[field]]));
  return { ...item, context: { ...own, ...added } };
}
