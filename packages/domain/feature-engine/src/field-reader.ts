import { findNearest, toCanonicalCondition } from '@perennial/expressions';
import { findConditionProblem } from './conditions.js';
import type { SpecPath, SpecProblem } from './spec-problem.js';
import { HOUR_MS } from './time.js';
import { parseGap, parseWindow, toWindowText } from './window.js';

const TEXT_CHARS_MAX = 256;
const TEXTS_MAX = 16;

/** Reads the fields of one JSON object. Each problem is added to `problems` with its path; reading continues. */
export class FieldReader {
  readonly #fields: Record<string, unknown>;
  readonly #isObject: boolean;
  readonly #path: SpecPath;
  readonly #problems: SpecProblem[];
  readonly #known = new Set<string>();
  /** Keys that could have been there. */
  readonly #absent = new Set<string>();

  constructor(value: unknown, path: SpecPath, problems: SpecProblem[]) {
    this.#fields = isObject(value) ? value : {};
    this.#path = path;
    this.#problems = problems;
    this.#isObject = isObject(value);
    if (!this.#isObject) this.#report(undefined, 'must be an object');
  }

  has(name: string): boolean {
    const isThere = Object.hasOwn(this.#fields, name);
    if (!isThere) this.#absent.add(name);
    return isThere;
  }

  /** False for a value that has no fields. */
  get isObject(): boolean {
    return this.#isObject;
  }

  /** The names of all fields. */
  get keys(): readonly string[] {
    return Object.keys(this.#fields);
  }

  /** A non-empty text. */
  text(
    name: string,
    {
      pattern = /^[^\0]+$/,
      hint = 'a text',
      charsMax = TEXT_CHARS_MAX,
    }: { pattern?: RegExp; hint?: string; charsMax?: number } = {},
  ): string {
    const value = this.#take(name);
    if (typeof value === 'string' && value.length <= charsMax && pattern.test(value)) return value;
    this.#report(name, `must be ${hint}, it is ${toText(value)}`);
    return '';
  }

  /** At least one text, without duplicates. */
  texts(name: string, { itemsMax = TEXTS_MAX }: { itemsMax?: number } = {}): readonly string[] {
    const value = this.#take(name);
    const isFine =
      Array.isArray(value) &&
      value.length > 0 &&
      value.length <= itemsMax &&
      value.every((text) => typeof text === 'string' && text !== '' && text.length <= TEXT_CHARS_MAX) &&
      new Set(value).size === value.length;
    if (isFine) return value as string[];
    this.#report(name, `must be 1 to ${itemsMax} different texts, it is ${toText(value)}`);
    return [];
  }

  /** A condition about an event, as canonical text. */
  condition(name: string): string {
    const text = this.text(name, { charsMax: Number.POSITIVE_INFINITY, hint: 'a condition on properties and context' });
    if (text === '') return '';
    const problem = findConditionProblem(text);
    if (problem !== undefined) this.#report(name, problem.message, problem);
    return toCanonicalCondition(text);
  }

  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') this.#report(name, `must be true or false, it is ${toText(value)}`);
    return value === true;
  }

  /** A number of a range, its ends included. */
  number(name: string, { min, max, isWhole = false }: { min: number; max: number; isWhole?: boolean }): number {
    const value = this.#take(name);
    const isFine = typeof value === 'number' && (!isWhole || Number.isSafeInteger(value));
    if (isFine && value >= min && value <= max) return value + 0;
    this.#report(name, `must be a ${isWhole ? 'whole ' : ''}number from ${min} to ${max}, it is ${toText(value)}`);
    return min;
  }

  /** Different whole numbers of a range, but not all of them; ascending. */
  choices(name: string, { min, max }: { min: number; max: number }): readonly number[] {
    const value = this.#take(name);
    const isFine =
      Array.isArray(value) &&
      value.length > 0 &&
      value.length <= max - min &&
      value.every((one) => Number.isSafeInteger(one) && one >= min && one <= max) &&
      new Set(value).size === value.length;
    if (isFine) return (value as number[]).toSorted((a, b) => a - b);
    const hint = `a list of different whole numbers from ${min} to ${max}, not all of them`;
    this.#report(name, `must be ${hint}, it is ${toText(value)}`);
    return [];
  }

  literal<T extends string | number>(name: string, wanted: T): T {
    const value = this.#take(name);
    if (value !== wanted) this.#report(name, `must be ${JSON.stringify(wanted)}, it is ${toText(value)}`);
    return wanted;
  }

  oneOf<T extends string>(name: string, wanted: readonly T[]): T {
    const value = this.#take(name);
    const found = wanted.find((candidate) => candidate === value);
    if (found !== undefined) return found;
    const mistyped = value === undefined ? findNearest(name, Object.keys(this.#fields)) : undefined;
    const suggestion = typeof value === 'string' ? findNearest(value, wanted) : undefined;
    if (mistyped === undefined) {
      this.#report(name, `must be one of ${wanted.join(', ')}, it is ${toText(value)}`, { suggestion });
    } else {
      this.#report(mistyped, 'is an unknown key', { part: 'key', suggestion: name });
    }
    // Which other keys are allowed depends on it: do not report keys as unknown that may be valid.
    for (const key of Object.keys(this.#fields)) this.#known.add(key);
    return 'days_since_last' as T;
  }

  list(name: string, { itemsMax }: { itemsMax: number }): readonly unknown[] {
    const value = this.#take(name);
    if (Array.isArray(value) && value.length > 0 && value.length <= itemsMax) return value;
    const found = Array.isArray(value) ? `it has ${value.length}` : `it is ${toText(value)}`;
    this.#report(name, `must be a list of 1 to ${itemsMax}, ${found}`);
    return [];
  }

  /** The names and values of an object whose keys its author chooses; none when it is absent. */
  entries(name: string): ReadonlyArray<readonly [string, unknown]> {
    const value = this.#take(name);
    if (value === undefined) return [];
    if (isObject(value)) return Object.entries(value);
    this.#report(name, 'must be a mapping of names to settings');
    return [];
  }

  object(name: string, { isOptional = false }: { isOptional?: boolean } = {}): FieldReader | undefined {
    const value = this.#take(name);
    if (value === undefined) {
      if (!isOptional) this.#report(name, 'is missing');
      return undefined;
    }
    return new FieldReader(value, [...this.#path, name], this.#problems);
  }

  /** A window in ms, of `minMs` at least; undefined when absent, which means a profile's whole life. */
  window({ isRequired = false, minMs = HOUR_MS }: { isRequired?: boolean; minMs?: number } = {}): number | undefined {
    if (this.has('window')) return this.duration('window', { minMs });
    this.#known.add('window');
    if (isRequired) this.#report('window', 'is missing: this aggregation is for windows only');
    return undefined;
  }

  /** A length of time in ms, in the notation of windows; undefined after a problem. */
  duration(name: string, { minMs = HOUR_MS }: { minMs?: number } = {}): number | undefined {
    const value = this.#take(name);
    const durationMs = parseWindow(value);
    if (durationMs !== undefined && durationMs >= minMs) return durationMs;
    this.#report(name, `must be from "${toWindowText(minMs)}" to "365d", it is ${toText(value)}`);
    return undefined;
  }

  /** A short length of time in ms, such as `30m`. */
  gap(name: string, { minMs, maxMs }: { minMs: number; maxMs: number }): number {
    const value = this.#take(name);
    const gapMs = parseGap(value);
    if (gapMs !== undefined && gapMs >= minMs && gapMs <= maxMs) return gapMs;
    const range = `from "${toWindowText(minMs)}" to "${toWindowText(maxMs)}"`;
    this.#report(name, `must be ${range}, it is ${toText(value)}`);
    return minMs;
  }

  /** Reports the keys that were not read. */
  finish(): void {
    for (const key of Object.keys(this.#fields)) {
      if (this.#known.has(key)) continue;
      this.#report(key, 'is an unknown key', { part: 'key', suggestion: findNearest(key, this.#absent) });
    }
  }

  /** Reports a key that is of the right form, but not right here. */
  reject(name: string, message: string): void {
    this.#known.add(name);
    this.#report(name, message, { part: 'key' });
  }

  #take(name: string): unknown {
    this.#known.add(name);
    return this.has(name) ? this.#fields[name] : undefined;
  }

  #report(name: string | undefined, message: string, more: Omit<SpecProblem, 'path' | 'message'> = {}): void {
    const path = name === undefined ? this.#path : [...this.#path, name];
    this.#problems.push({ path, message, ...more });
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function toText(value: unknown): string {
  const text = value === undefined ? 'missing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
