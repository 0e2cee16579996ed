import { CONTEXT_FIELDS, CONTEXT_TEXT_CHARS_MAX } from '@perennial/contracts';
import { isJsonObject, type JsonObject } from './parse-properties.js';

/** The carried fields of a context, copied: few and short, whatever a client sends. Undefined for none. */
export function pickContext(context: unknown): JsonObject | undefined {
  if (!isJsonObject(context)) return undefined;
  const picked: Record<string, unknown> = {};
  for (const [group, fields] of Object.entries(CONTEXT_FIELDS)) {
    const from = group === '' ? context : readOwn(context, group);
    if (!isJsonObject(from)) continue;
    const values = fields.flatMap((field) => {
      const value = readOwn(from, field);
      return isCarried(value) ? [[field, value] as const] : [];
    });
    if (values.length === 0) continue;
    if (group === '') Object.assign(picked, Object.fromEntries(values));
    else picked[group] = Object.fromEntries(values);
  }
  return Object.keys(picked).length === 0 ? undefined : picked;
}

function readOwn(object: JsonObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/** A short text, a number or a truth value. Campaigns by mail put addresses into links: no text with an @. */
function isCarried(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'string') return typeof value === 'boolean';
  return value !== '' && value.length <= CONTEXT_TEXT_CHARS_MAX && !value.includes('@') && !value.includes('\0');
}
