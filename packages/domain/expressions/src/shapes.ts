import { isScalar, type Node } from 'yaml';
import { type Condition, compileCondition } from './compile.js';
import { findNearest } from './nearest.js';
import type { VariableSet } from './variables.js';
import { type Shape, scalar, toPlace } from './yaml.js';

/** Text of bounded length. */
export function text(limits: { lengthMax: number; pattern?: RegExp; patternHint?: string }): Shape<string> {
  const needed = limits.patternHint ?? `text of 1 to ${limits.lengthMax} characters`;
  return scalar(needed, (value) => {
    // PostgreSQL cannot store NUL in text.
    if (typeof value !== 'string' || value.includes('\0')) return undefined;
    if (value.length === 0 || value.length > limits.lengthMax) return undefined;
    return limits.pattern === undefined || limits.pattern.test(value) ? value : undefined;
  });
}

/** A name that is declared elsewhere in the file (see `named`) or passed to `parseYaml`. */
export function reference(kind: string): Shape<string> {
  const name = text({ lengthMax: 64 });
  return {
    read(node, place, context) {
      const value = name.read(node, place, context);
      if (value !== undefined) context.refer(kind, value, toPlace(node, place));
      return value;
    },
  };
}

/** A finite number within bounds (both inclusive). */
export function number(limits: { min: number; max: number }): Shape<number> {
  return scalar(`a number from ${limits.min} to ${limits.max}`, (value) =>
    typeof value === 'number' && value >= limits.min && value <= limits.max ? value : undefined,
  );
}

/** A whole number within bounds (both inclusive). */
export function integer(limits: { min: number; max: number }): Shape<number> {
  return scalar(`a whole number from ${limits.min} to ${limits.max}`, (value) =>
    Number.isSafeInteger(value) && Number(value) >= limits.min && Number(value) <= limits.max
      ? Number(value)
      : undefined,
  );
}

/** true or false. */
export function flag(): Shape<boolean> {
  return scalar('true or false', (value) => (typeof value === 'boolean' ? value : undefined));
}

/** One word of a closed set. */
export function oneOf<const W extends string>(words: readonly W[]): Shape<W> {
  return {
    read(node, place, context) {
      const value = isScalar(node) ? node.value : undefined;
      const word = words.find((known) => known === value);
      if (word !== undefined) return word;
      const suggest = () => (typeof value === 'string' ? findNearest(value, words) : undefined);
      const found = typeof value === 'string' ? `"${value}" is not` : 'needed here is';
      context.report(toPlace(node, place), `${found} one of ${words.join(', ')}`, suggest);
      return undefined;
    },
  };
}

const DURATION_UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION_PATTERN = /^(\d{1,6}(?:\.\d{1,3})?)([smhd])$/;
const DURATION_MAX_MS = 3_660 * DURATION_UNITS_MS.d;

/** A duration such as 30m, 12h or 60d, in milliseconds. */
export function duration(limits: { minMs: number; maxMs?: number }): Shape<number> {
  const maxMs = limits.maxMs ?? DURATION_MAX_MS;
  const needed = `a duration such as 30m, 12h or 60d (from ${toDays(limits.minMs)} to ${toDays(maxMs)})`;
  return scalar(needed, (value) => {
    const match = typeof value === 'string' ? DURATION_PATTERN.exec(value) : null;
    if (match === null) return undefined;
    const durationMs = Math.round(Number(match[1]) * DURATION_UNITS_MS[match[2] as keyof typeof DURATION_UNITS_MS]);
    return durationMs >= limits.minMs && durationMs <= maxMs ? durationMs : undefined;
  });
}

function toDays(durationMs: number): string {
  return durationMs < DURATION_UNITS_MS.d ? `${durationMs / 1_000}s` : `${durationMs / DURATION_UNITS_MS.d}d`;
}

const TIME_PATTERN = /^([01]\d|2[0-3]):([0-5]\d)$/;

/** A time of day such as "21:30", in minutes since midnight. */
export function timeOfDay(): Shape<number> {
  return scalar('a time of day such as "21:30"', (value) => {
    const match = typeof value === 'string' ? TIME_PATTERN.exec(value) : null;
    return match === null ? undefined : Number(match[1]) * 60 + Number(match[2]);
  });
}

/** A CEL condition over the declared variables; problems in it are reported at their own line and column. */
export function condition(variables: VariableSet): Shape<Condition> {
  return {
    read(node, place, context) {
      const source = isScalar(node) ? conditionText(node.value) : undefined;
      if (source === undefined || !isScalar(node)) {
        context.report(toPlace(node, place), 'a condition is needed here');
        return undefined;
      }
      const compiled = compileCondition(source, variables);
      if (compiled.ok) return compiled.condition;
      const { message, start, suggestion } = compiled.problem;
      context.report(context.placeWithin(node, start), message, () => suggestion);
      return undefined;
    },
  };
}

/** YAML reads `when: true` as a boolean; the author means a condition. */
function conditionText(value: unknown): string | undefined {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'string' && value.trim() !== '' ? value : undefined;
}

/** Free-form data: a mapping of names to plain JSON values, frozen; its JSON length is bounded. */
export function jsonObject(limits: { lengthMax: number }): Shape<Readonly<Record<string, unknown>>> {
  return {
    read(node: Node | null, place, context) {
      const value = node === null ? {} : toPlainValue(node);
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        context.report(toPlace(node, place), 'a mapping of names to values is needed here');
        return undefined;
      }
      if (JSON.stringify(value).includes('\\u0000')) {
        context.report(toPlace(node, place), 'parameters may not hold NUL characters');
        return undefined;
      }
      if (JSON.stringify(value).length > limits.lengthMax) {
        context.report(toPlace(node, place), `at most ${limits.lengthMax} characters of parameters are allowed`);
        return undefined;
      }
      return Object.freeze(value as Record<string, unknown>);
    },
  };
}

/** What a node says, as JSON would. */
export function toPlainValue(node: Node): unknown {
  const value: unknown = 'toJSON' in node ? node.toJSON() : undefined;
  return JSON.parse(JSON.stringify(value) ?? 'null') as unknown;
}
