import { AppError } from '@perennial/kernel';
import { EXPLORE_LIMITS } from './limits.js';

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const SPAN_MAX_MS = EXPLORE_LIMITS.spanDaysMax * UNITS.d;
const AMOUNT_MAX = 1_000_000_000;
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Reads options as they were typed. A getter whose text is wrong notes the problem and returns a stand-in, so that reading
 * goes on and finds the next; `finish` throws them all.
 */
export class OptionReader {
  readonly #problems: string[] = [];

  problem(option: string, text: string): void {
    this.#problems.push(`${option} ${text}`);
  }

  /** A span such as 30m, 12h, 7d or 2w, in ms. */
  span(option: string, text: string): number {
    const match = /^(\d{1,9})([mhdw])$/.exec(text);
    const ms = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
    if (ms > 0 && ms <= SPAN_MAX_MS) return ms;
    this.problem(
      option,
      `is ${quote(text)} but must be a span such as 30m, 12h, 7d or 2w, up to ${EXPLORE_LIMITS.spanDaysMax}d`,
    );
    return UNITS.d;
  }

  /** A day or a time with its zone, in ms; a day begins at midnight UTC. */
  time(option: string, text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const ms = TIME.test(text) ? Date.parse(text) : Number.NaN;
    // A 30th of February would be taken for a day of March.
    const isDay =
      !Number.isNaN(ms) && new Date(`${text.slice(0, 10)}T00:00Z`).toISOString().startsWith(text.slice(0, 10));
    if (isDay) return ms;
    this.problem(option, `is ${quote(text)} but must be a day such as 2026-01-31, or a time such as 2026-01-31T12:00Z`);
    return undefined;
  }

  range(from: string | undefined, to: string | undefined): { fromMs: number | undefined; toMs: number | undefined } {
    const [fromMs, toMs] = [this.time('--from', from), this.time('--to', to)];
    if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
      this.problem('--to', `is ${quote(to ?? '')} but must be after --from`);
    return { fromMs, toMs };
  }

  whole(option: string, text: string, { min, max }: { readonly min: number; readonly max: number }): number {
    const value = Number(text);
    if (/^\d{1,15}$/.test(text) && value >= min && value <= max) return value;
    this.problem(option, `is ${quote(text)} but must be a whole number from ${min} to ${max}`);
    return min;
  }

  /** A number from 0 to 1. */
  share(option: string, text: string): number {
    const value = Number(text);
    if (/^(\d+(\.\d*)?|\.\d+)(e-?\d{1,3})?$/i.test(text) && value <= 1) return value;
    this.problem(option, `is ${quote(text)} but must be a number from 0 to 1`);
    return 1;
  }

  /** A number from 0 to a billion. */
  amount(option: string, text: string | undefined): number | undefined {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d{1,10}(\.\d{1,4})?$/.test(text) && value <= AMOUNT_MAX) return value;
    this.problem(option, `is ${quote(text)} but must be a number from 0 to ${AMOUNT_MAX}, with up to 4 decimals`);
    return undefined;
  }

  oneOf<const Choice extends string>(option: string, text: string, choices: readonly [Choice, ...Choice[]]): Choice {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    this.problem(option, `is ${quote(text)} but must be one of ${choices.join(', ')}`);
    return choices[0];
  }

  event(option: string, text: string): string {
    if (text.trim() === '') this.problem(option, 'is empty but must be the name of an event');
    else if (text.length > EXPLORE_LIMITS.eventNameCharsMax)
      this.problem(option, `has ${text.length} characters, ${EXPLORE_LIMITS.eventNameCharsMax} at most`);
    else if (text.includes('\0')) this.problem(option, 'holds the character NUL');
    return text;
  }

  /** Throws `config_invalid` with all problems, one a line. */
  finish(): void {
    if (this.#problems.length > 0) throw new AppError('config_invalid', this.#problems.join('\n'));
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
