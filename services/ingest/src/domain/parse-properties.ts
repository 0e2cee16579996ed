import { LIMITS } from './limits.js';
import { Rejection, toExcerpt } from './rejection.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a field that says nothing: left out, null or ''. */
export function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || value === '';
}

/** Checks properties or traits; absent and null count as none. Values are unchanged. */
export function parseProperties(value: unknown, field: string): JsonObject | Rejection {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) {
    return new Rejection('invalid_properties', `${field} must be an object, not ${toExcerpt(value)}`).on(field, value);
  }
  return value;
}

/** Result of walking a JSON value. */
export interface Inspection {
  readonly hasProto: boolean;
  /** A number such as 1e999, which JSON.parse reads as Infinity and JSON.stringify would write as null. */
  readonly hasInfinity: boolean;
}

/**
 * Walks a parsed JSON value down to the depth limit. Must run before any recursion (JSON.stringify overflows the
 * stack on 10,000 nested arrays, which JSON.parse accepts).
 */
export function inspectJson(value: unknown): Inspection | Rejection {
  const found = { hasProto: false, hasInfinity: false };
  return walk(value, 1, found) ?? found;
}

function walk(
  value: unknown,
  depth: number,
  found: { hasProto: boolean; hasInfinity: boolean },
): Rejection | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) found.hasInfinity = true;
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > LIMITS.depthMax) {
    return new Rejection('too_deep', `objects and arrays are nested deeper than ${LIMITS.depthMax}`);
  }
  if (Array.isArray(value)) {
    for (const item of value) {
      const rejection = walk(item, depth + 1, found);
      if (rejection !== undefined) return rejection;
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (key === '__proto__') found.hasProto = true;
    const rejection = walk((value as JsonObject)[key], depth + 1, found);
    if (rejection !== undefined) return rejection;
  }
  return undefined;
}

/**
 * Properties as JSON text. A key `__proto__` is dropped at every level: JSON keeps it as data, but a downstream reader
 * that copies keys by assignment would set a prototype with it.
 */
export function encodeProperties(properties: JsonObject, inspection: Inspection): string {
  if (!inspection.hasProto) return JSON.stringify(properties);
  return JSON.stringify(properties, (key, value) => (key === '__proto__' ? undefined : value));
}
