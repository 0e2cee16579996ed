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
  /** Never has a default, and rejects placeholders. */
  secret(name: string, options?: { description?: string; lengthMin?: number }): string;
  integer(name: string, options: NumberOptions): number;
  number(name: string, options: NumberOptions): number;
  boolean(name: string, options?: { description?: string; default?: boolean }): boolean;
  /** Comma-separated, trimmed, at least one item. */
  list(name: string, options?: TextOptions & { default?: readonly string[] }): string[];
  oneOf<const T extends string>(name: string, values: readonly T[], options?: { description?: string; default?: T }): T;
  /** An http, redis, postgres ... URL with one of the given schemes. */
  url(name: string, options: { description?: string; schemes: readonly string[]; default?: string }): string;
  /** Reports a problem with one or several variables that only the caller can detect. */
  problem(name: string, what: string): void;
  /** Throws `config_invalid` with all problems, one per line; does nothing when there are none. */
  finish(): void;
}

const PLACEHOLDER =
  /change[-_ ]?me|placeholder|example|your[-_ ]?secret|replace[-_ ]?(me|this)|^(.)\2*$|^<.*>$|^x{3,}/i;
const TRUE_WORDS = new Set(['true', '1', 'yes', 'on']);
const FALSE_WORDS = new Set(['false', '0', 'no', 'off']);
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A reader over `env`. Problems never contain the value of a secret. */
export function createConfigReader(env: Environment): ConfigReader {
  return new EnvironmentReader(env);
}

class EnvironmentReader implements ConfigReader {
  readonly #env: Environment;
  readonly #problems: string[] = [];

  constructor(env: Environment) {
    this.#env = env;
  }

  string(name: string, options: TextOptions & { default?: string } = {}): string {
    this.#declare(name, options.patternHint ?? 'text', options);
    return this.#read(name, '', options.default, (text) => (this.#matches(name, text, options) ? text : undefined));
  }

  optionalString(name: string, options: TextOptions = {}): string | undefined {
    this.#declare(name, options.patternHint ?? 'text', { ...options, optional: true });
    const text = this.#given(name);
    return text !== undefined && this.#matches(name, text, options) ? text : undefined;
  }

  secret(name: string, { description, lengthMin = 1 }: { description?: string; lengthMin?: number } = {}): string {
    this.#declare(name, `at least ${lengthMin} characters`, { description, secret: true });
    return this.#read<string>(name, '', undefined, (text) => {
      if (PLACEHOLDER.test(text)) this.problem(name, 'is a placeholder; set a real secret');
      else if (text.length < lengthMin)
        this.problem(name, `has ${text.length} characters but must have at least ${lengthMin}`);
      else return text;
      return undefined;
    });
  }

  integer(name: string, options: NumberOptions): number {
    return this.#readNumber(name, options, 'an integer');
  }

  number(name: string, options: NumberOptions): number {
    return this.#readNumber(name, options, 'a number');
  }

  boolean(name: string, options: { description?: string; default?: boolean } = {}): boolean {
    this.#declare(name, 'true or false', { ...options, default: options.default?.toString() });
    return this.#read(name, false, options.default, (text) => {
      const word = text.trim().toLowerCase();
      if (TRUE_WORDS.has(word)) return true;
      if (FALSE_WORDS.has(word)) return false;
      this.problem(name, `is ${JSON.stringify(text)} but must be true or false`);
      return undefined;
    });
  }

  list(name: string, options: TextOptions & { default?: readonly string[] } = {}): string[] {
    this.#declare(name, `comma-separated ${options.patternHint ?? 'items'}`, {
      ...options,
      default: options.default?.join(','),
    });
    return this.#read<string[]>(name, [], options.default && [...options.default], (text) => {
      const items = text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
      if (items.length === 0) this.problem(name, 'must name at least one item');
      return items.filter((item) => this.#matches(name, item, options));
    });
  }

  oneOf<const T extends string>(
    name: string,
    values: readonly T[],
    options: { description?: string; default?: T } = {},
  ): T {
    this.#declare(name, `one of ${values.join(', ')}`, options);
    return this.#read(name, values[0] as T, options.default, (text) => {
      const value = values.find((candidate) => candidate === text);
      if (value === undefined) this.problem(name, `is ${JSON.stringify(text)} but must be one of ${values.join(', ')}`);
      return value;
    });
  }

  url(name: string, options: { description?: string; schemes: readonly string[]; default?: string }): string {
    const form = `a URL with scheme ${options.schemes.join(' or ')}`;
    this.#declare(name, form, options);
    return this.#read(name, '', options.default, (text) => {
      const scheme = URL.canParse(text) ? new URL(text).protocol.slice(0, -1) : undefined;
      if (scheme !== undefined && options.schemes.includes(scheme)) return text;
      // The value may hold a password: the problem says only that it is malformed.
      this.problem(name, `is not ${form}`);
      return undefined;
    });
  }

  problem(name: string, what: string): void {
    this.#problems.push(`${name} ${what}`);
  }

  finish(): void {
    if (this.#problems.length === 0) return;
    const lines = this.#problems.map((problem) => `  - ${problem}`).join('\n');
    throw new AppError('config_invalid', `configuration is invalid:\n${lines}`, {
      details: { problems: [...this.#problems] },
    });
  }

  #given(name: string): string | undefined {
    return this.#env[name] === undefined || this.#env[name] === '' ? undefined : this.#env[name];
  }

  #declare(
    name: string,
    form: string,
    options: { description?: string | undefined; default?: string | undefined; optional?: boolean; secret?: boolean },
  ): void {
    const { description = '', secret = false } = options;
    const required = options.default === undefined && options.optional !== true;
    const base = { name, description, required, secret, form };
    noteDeclaration(this.#env, options.default === undefined ? base : { ...base, default: options.default });
  }

  /** The parsed value, the default when the variable is not set, or a stand-in after a problem was noted. */
  #read<T>(name: string, standIn: T, fallback: T | undefined, parse: (text: string) => T | undefined): T {
    const text = this.#given(name);
    if (text !== undefined) return parse(text) ?? standIn;
    if (fallback !== undefined) return fallback;
    this.problem(name, 'is not set and has no default');
    return standIn;
  }

  #matches(name: string, text: string, options: TextOptions): boolean {
    if (options.pattern === undefined || options.pattern.test(text)) return true;
    const hint = options.patternHint ?? `of the form ${options.pattern}`;
    this.problem(name, `is ${JSON.stringify(text)} but must be ${hint}`);
    return false;
  }

  #readNumber(name: string, options: NumberOptions, kind: 'an integer' | 'a number'): number {
    const form = `${kind} from ${options.min} to ${options.max}`;
    this.#declare(name, form, { ...options, default: options.default?.toString() });
    return this.#read(name, options.min, options.default, (text) => {
      const value = DECIMAL.test(text.trim()) ? Number(text) : Number.NaN;
      const whole = kind === 'a number' || Number.isSafeInteger(value);
      if (whole && value >= options.min && value <= options.max) return value;
      this.problem(name, `is ${JSON.stringify(text)} but must be ${form}`);
      return undefined;
    });
  }
}
