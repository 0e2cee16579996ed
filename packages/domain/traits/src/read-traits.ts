import type { Trait, TraitValue } from './trait.js';

/** Levels of names: `company.address.city` is the deepest. */
const DEPTH_MAX = 3;
const TRAITS_PER_EVENT_MAX = 50;
const NAME_CHARS_MAX = 64;
/** A trait is a fact, not a document. */
const TEXT_BYTES_MAX = 100;

/** Why a trait was left out: a closed set, used as a metric's label. `undeclared`: nobody said that it is not personal. */
export type LeftOutReason = 'undeclared' | 'too_many' | 'too_deep' | 'too_long' | 'unsupported';

type JsonObject = Readonly<Record<string, unknown>>;

interface ReadTraits {
  readonly traits: readonly Trait[];
  readonly leftOut: readonly LeftOutReason[];
}

/**
 * Traits of a JSON object: text, numbers, booleans, times (ISO 8601), and null, which removes one; nested objects become
 * names with dots. `mayKeep` decides by the names from the outside in. Pure; never throws.
 */
export function readTraits(json: JsonObject, mayKeep: (names: readonly string[]) => boolean): ReadTraits {
  const traits = new Map<string, TraitValue>();
  const leftOut: LeftOutReason[] = [];
  const visit = (object: JsonObject, outer: readonly string[]): void => {
    for (const [key, value] of Object.entries(object)) {
      const names = [...outer, key];
      if (isObject(value)) {
        if (names.length === DEPTH_MAX) leftOut.push('too_deep');
        else visit(value, names);
        continue;
      }
      const read = readTrait(names, value, mayKeep);
      if (typeof read === 'string') leftOut.push(read);
      else if (traits.size === TRAITS_PER_EVENT_MAX && !traits.has(read.name)) leftOut.push('too_many');
      else traits.set(read.name, read.value);
    }
  };
  visit(json, []);
  return { traits: [...traits].map(([name, value]) => ({ name, value })), leftOut };
}

/** An object without the traits that are personal, and how many were taken out; the same object where none was. */
export function withoutTraits(
  json: JsonObject,
  isPersonal: (names: readonly string[]) => boolean | undefined,
): { readonly kept: JsonObject; readonly count: number } {
  let count = 0;
  const take = (object: JsonObject, outer: readonly string[]): JsonObject => {
    const kept: Array<[string, unknown]> = [];
    for (const [key, value] of Object.entries(object)) {
      const names = [...outer, key];
      if (isPersonal(names) === true) count++;
      else kept.push([key, takeValue(value, names)]);
    }
    // Not by assignment: a key may be `__proto__`.
    return Object.fromEntries(kept);
  };
  const takeValue = (value: unknown, names: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((item) => takeValue(item, names));
    return isObject(value) ? take(value, names) : value;
  };
  const kept = take(json, []);
  return count === 0 ? { kept: json, count } : { kept, count };
}

function readTrait(
  names: readonly string[],
  value: unknown,
  mayKeep: (names: readonly string[]) => boolean,
): Trait | LeftOutReason {
  if (!mayKeep(names)) return 'undeclared';
  const name = names.join('.');
  if (name.length > NAME_CHARS_MAX) return 'too_long';
  if (!isClean(name) || name === '') return 'unsupported';
  const read = readValue(value);
  return typeof read === 'string' ? read : { name, value: read };
}

function readValue(value: unknown): TraitValue | LeftOutReason {
  if (value === null) return { kind: 'removed' };
  if (typeof value === 'boolean') return { kind: 'flag', flag: value };
  // 0 and -0 are one value.
  if (typeof value === 'number' && Number.isFinite(value)) return { kind: 'number', number: value + 0 };
  if (typeof value !== 'string' || !isClean(value)) return 'unsupported';
  if (Buffer.byteLength(value) > TEXT_BYTES_MAX) return 'too_long';
  const timeMs = readTime(value);
  return timeMs === undefined ? { kind: 'text', text: value } : { kind: 'time', timeMs };
}

const TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** A day, which begins in UTC, or a time with its zone; a time without one is a text. */
function readTime(text: string): number | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const day = Date.parse(`${match[1]}T00:00:00Z`);
  const isDay = !Number.isNaN(day) && new Date(day).toISOString().startsWith(match[1] ?? ' ');
  const timeMs = Date.parse(text);
  return isDay && !Number.isNaN(timeMs) ? timeMs : undefined;
}

function isClean(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
