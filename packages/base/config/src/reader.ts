import { AppError } from '@perennial/kernel';
import { noteDeclaration } from './describe.js';
import type { Environment } from './variables.js';

interface TextOptions {
  readonly description?: string;
  readonly pattern?: RegExp;
  /** What the pattern means, for the error message. */
  readonly patternHint?: string;
}

interface NumberOptions {
  readonly description?: string;
  readonly min: number;
  readonly max: number;
  readonly default?: number;
}

/**
 * Reads typed values out of the environment and collects every problem. A getter returns a stand-in of the right type
 * when its variable is wrong, so reading goes on; `finish` then throws, so no stand-in is ever used.
 */
export interface ConfigReader {
  string(name: string, options?: TextOptions & { default?: string }): string;
  optionalString(name: string, options?: TextOptions): string | undefined;
  /** Has no default, ever, and refuses placeholders. */
  secret(name: string, options?: { description?: string; lengthMin?: number }): string;
  integer(name: string, options: NumberOptions): number;
  number(name: string, options: NumberOptions): number;
  boolean(name: string, options?: { description?: string; default?: boolean }): boolean;
  /** Comma-separated, trimmed, at least one item. */
  list(name: string, options?: TextOptions & { default?: readonly string[] }): string[];
  oneOf<const T extends string>(name: string, values: readonly T[], options?: { description?: string; default?: T }): T;
  /** An http, redis, postgres ... URL with one of the given schemes. */
  url(name: string, options: { description?: string; schemes: readonly string[]; default?: string }): string;
  /** Reports a problem of one or several variables that only a caller can see. */
  problem(name: string, what: string): void;
  /** Throws `config_invalid` with all problems, one a line; does nothing when there are none. */
  finish(): void;
}

const PLACEHOLDER =
  /change[-_ ]?me|placeholder|example|your[-_ ]?secret|replace[-_ ]?(me|this)|^(.)\2*$|^<.*>$|^x{3,}/i;
const TRUE_WORDS = new Set(['true', '1', 'yes', 'on']);
const FALSE_WORDS = new Set(['false', '0', 'no', 'off']);
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A reader over `env`. Problems never contain the value of a secret. */
export function createConfigReader(env: Environment): ConfigReader {
  const problems: string[] = [];

  const report = (name: string, what: string) => problems.push(`${name} ${what}`);
  const given = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name]);

  function declare(
    name: string,
    form: string,
    options: { description?: string | undefined; default?: string | undefined; optional?: boolean; secret?: boolean },
  ): void {
    const { description = '', secret = false } = options;
    const required = options.default === undefined && options.optional !== true;
    const base = { name, description, required, secret, form };
    noteDeclaration(env, options.default === undefined ? base : { ...base, default: options.default });
  }

  /** The parsed value, the default when the variable is not set, or a problem and the stand-in. */
  function read<T>(name: string, standIn: T, fallback: T | undefined, parse: (text: string) => T | undefined): T {
    const text = given(name);
    if (text !== undefined) return parse(text) ?? standIn;
    if (fallback !== undefined) return fallback;
    report(name, 'is not set and has no default');
    return standIn;
  }

  function matches(name: string, text: string, options: TextOptions): boolean {
    if (options.pattern === undefined || options.pattern.test(text)) return true;
    report(name, `is ${JSON.stringify(text)} but must be ${options.patternHint ?? `of the form ${options.pattern}`}`);
    return false;
  }

  function readNumber(name: string, options: NumberOptions, kind: 'an integer' | 'a number'): number {
    const form = `${kind} from ${options.min} to ${options.max}`;
    declare(name, form, { ...options, default: options.default?.toString() });
    return read(name, options.min, options.default, (text) => {
      const value = DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
      const whole = kind === 'a number' || Number.isSafeInteger(value);
      if (whole && value >= options.min && value <= options.max) return value;
      report(name, `is ${JSON.stringify(text)} but must be ${form}`);
      return undefined;
    });
  }

  return {
    string(name, options = {}) {
      declare(name, options.patternHint ?? 'text', options);
      return read(name, '', options.default, (text) => (matches(name, text, options) ? text : undefined));
    },
    optionalString(name, options = {}) {
      declare(name, options.patternHint ?? 'text', { ...options, optional: true });
      const text = given(name);
      return text !== undefined && matches(name, text, options) ? text : undefined;
    },
    secret(name, { description, lengthMin = 1 } = {}) {
      declare(name, `at least ${lengthMin} characters`, { description, secret: true });
      return read<string>(name, '', undefined, (text) => {
        if (PLACEHOLDER.test(text)) report(name, 'is a placeholder; set a real secret');
        else if (text.length < lengthMin)
          report(name, `has ${text.length} characters but must have at least ${lengthMin}`);
        else return text;
        return undefined;
      });
    },
    integer: (name, options) => readNumber(name, options, 'an integer'),
    number: (name, options) => readNumber(name, options, 'a number'),
    boolean(name, options = {}) {
      declare(name, 'true or false', { ...options, default: options.default?.toString() });
      return read(name, false, options.default, (text) => {
        const word = text.trim().toLowerCase();
        if (TRUE_WORDS.has(word)) return true;
        if (FALSE_WORDS.has(word)) return false;
        report(name, `is ${JSON.stringify(text)} but must be true or false`);
        return undefined;
      });
    },
    list(name, options = {}) {
      declare(name, `comma-separated ${options.patternHint ?? 'items'}`, {
        ...options,
        default: options.default?.join(','),
      });
      return read<string[]>(name, [], options.default && [...options.default], (text) => {
        const items = text
          .split(',')
          .map((item) => item.trim())
          .filter((item) => item !== '');
        if (items.length === 0) report(name, 'must name at least one item');
        return items.filter((item) => matches(name, item, options));
      });
    },
    oneOf(name, values, options = {}) {
      declare(name, `one of ${values.join(', ')}`, options);
      return read(name, values[0] as (typeof values)[number], options.default, (text) => {
        const value = values.find((candidate) => candidate === text);
        if (value === undefined) report(name, `is ${JSON.stringify(text)} but must be one of ${values.join(', ')}`);
        return value;
      });
    },
    url(name, options) {
      const form = `a URL with scheme ${options.schemes.join(' or ')}`;
      declare(name, form, options);
      return read(name, '', options.default, (text) => {
        const scheme = URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : undefined;
        if (scheme !== undefined && options.schemes.includes(scheme)) return text;
        // The value may hold a password: only its absence of form is reported.
        report(name, `is not ${form}`);
        return undefined;
      });
    },
    problem: (name, what) => void report(name, what),
    finish() {
      if (problems.length === 0) return;
      const lines = problems.map((problem) => `  - ${problem}`).join('\n');
      throw new AppError('config_invalid', `configuration is invalid:\n${lines}`, {
        details: { problems: [...problems] },
      });
    },
  };
}
