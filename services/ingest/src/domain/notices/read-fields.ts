import type { JsonObject } from '../parse-properties.js';
import { isAbsent } from '../parse-properties.js';
import { parseText } from '../parse-text.js';
import { Rejection, type RejectReason, toExcerpt } from '../rejection.js';

/** Names that others give: channels, campaigns, topics, purposes. */
export const WORD_CHARS_MAX = 100;

/** The fields of one report; the first one that cannot be read is the rejection of all. */
export class FieldReader {
  readonly #raw: JsonObject;
  readonly #reason: RejectReason;
  /** What stands before a field's name in messages, such as `permissions[1].`. */
  readonly #place: string;
  /** Undefined while all could be read. */
  rejection: Rejection | undefined;

  constructor(raw: JsonObject, { reason, place = '' }: { readonly reason: RejectReason; readonly place?: string }) {
    this.#raw = raw;
    this.#reason = reason;
    this.#place = place;
  }

  /** A text; '' where it is absent, null or empty. */
  optional(field: string, charsMax = WORD_CHARS_MAX): string {
    const value = this.#raw[field];
    if (isAbsent(value)) return '';
    const text = parseText(value, { field: `${this.#place}${field}`, reason: this.#reason, charsMax });
    if (!(text instanceof Rejection)) return text;
    this.rejection ??= text;
    return '';
  }

  required(field: string, charsMax = WORD_CHARS_MAX): string {
    if (isAbsent(this.#raw[field])) this.fail(field, 'is needed');
    return this.optional(field, charsMax);
  }

  /** One of the values; '' where it is none of them. */
  oneOf<Value extends string>(field: string, values: readonly Value[]): Value | '' {
    const value = this.#raw[field];
    const found = values.find((one) => one === value);
    if (found === undefined) this.fail(field, `must be one of ${values.join(', ')}, not ${toExcerpt(value)}`);
    return found ?? '';
  }

  fail(field: string, problem: string): void {
    const name = `${this.#place}${field}`;
    const value = this.#raw[field];
    this.rejection ??= new Rejection(this.#reason, `${name} ${problem}`).on(name, value);
  }
}
