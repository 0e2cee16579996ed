/** The character before the decimals of a number. */
export type Decimal = '.' | ',';

/** What a number's text says about the decimal character of its file. */
type Evidence =
  /** No separator in it. */
  | 'none'
  /** Can only be read with this decimal character. */
  | Decimal
  /** One separator and three digits behind it: thousands, or decimals. */
  | 'either';

const PLAIN = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const BLANKS = /[\s\u00A0\u202F'’]/g;
const SIGNS =
  /^(?<minus>-?)(?<before>\p{Sc}|[A-Z]{3}|)(?<digits>[+-]?[\d.,]+(?:[eE][+-]?\d+)?)(?<after>\p{Sc}|[A-Z]{3}|)$/u;
const CURRENCY_CODE = /^[A-Z]{3}$/;
const GROUPED: Readonly<Record<Decimal, RegExp>> = {
  '.': /^[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$/,
  ',': /^[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?$/,
};
const COMMA_PLAIN = /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$/;
/** `1,234`, which is a thousand and more, or one and some; `0,234` and `1234,567` are decimals. */
const EITHER = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;

/** Where in the file a text was met that decides, or leaves open, how its numbers are written. */
export interface NumberSight {
  readonly line: number;
  readonly text: string;
}

/**
 * Reads the numbers of one file, which are all written in one way, and keeps what they say about it: `1.234,50` can be
 * read in one way only, `1,234` in two.
 */
export class NumberReader {
  /** First text that fits only the decimal character in use. */
  own: NumberSight | undefined;
  /** First text that fits only the other decimal character. */
  other: NumberSight | undefined;
  /** First text with a comma that may stand before thousands or before decimals. */
  open: NumberSight | undefined;
  /** The same with a dot: programs write decimals so, and it is read so, with a warning. */
  openDot: NumberSight | undefined;
  readonly decimal: Decimal;
  /** Code of the currency beside the number that was read last: `12,50 EUR`. */
  code: string | undefined;
  /** First text with a currency sign: all have the same. */
  signed: NumberSight | undefined;
  #symbol: string | undefined;

  constructor(decimal: Decimal) {
    this.decimal = decimal;
  }

  /** The number of a field, undefined when it is empty, or the text why there is none. */
  read(text: string, line: number): number | undefined | string {
    this.code = undefined;
    if (text === '') return undefined;
    if (this.decimal === '.' && PLAIN.test(text)) {
      if (this.own === undefined && text.includes('.')) this.#note(text, line);
      return toFinite(text);
    }
    return this.#readWritten(text, line);
  }

  #readWritten(text: string, line: number): number | string {
    const isNegative = text.startsWith('(') && text.endsWith(')');
    const bare = (isNegative ? text.slice(1, -1) : text).replace(BLANKS, '');
    const match = SIGNS.exec(bare)?.groups;
    if (match === undefined) return 'is not a finite number';
    const { minus = '', before = '', digits = '', after = '' } = match;
    const symbol = before || after;
    if (CURRENCY_CODE.test(symbol)) {
      this.code = symbol;
    } else if (symbol !== '') {
      this.#symbol ??= symbol;
      this.signed ??= { line, text };
      if (symbol !== this.#symbol) return `has the currency sign ${symbol}, other rows have ${this.#symbol}`;
    }
    this.#note(digits, line);
    const number = this.#toNumber(digits);
    if (typeof number === 'string') return number;
    return isNegative || minus === '-' ? -number : number;
  }

  #toNumber(digits: string): number | string {
    const { decimal } = this;
    const plain = decimal === '.' ? PLAIN : COMMA_PLAIN;
    if (plain.test(digits)) return toFinite(digits.replace(',', '.'));
    if (!GROUPED[decimal].test(digits)) return 'is not a finite number';
    const [groups, decimals] = decimal === '.' ? [/,/g, '.'] : [/\./g, ','];
    return toFinite(digits.replace(groups, '').replace(decimals, '.'));
  }

  #note(digits: string, line: number): void {
    const evidence = toEvidence(digits);
    if (evidence === 'none') return;
    const sight = { line, text: digits };
    if (evidence === 'either' && digits.includes(',')) this.open ??= sight;
    else if (evidence === 'either') this.openDot ??= sight;
    else if (evidence === this.decimal) this.own ??= sight;
    else this.other ??= sight;
  }
}

function toEvidence(digits: string): Evidence {
  const dots = countOf(digits, '.');
  const commas = countOf(digits, ',');
  if (dots + commas === 0) return 'none';
  if (dots > 0 && commas > 0) return digits.lastIndexOf('.') > digits.lastIndexOf(',') ? '.' : ',';
  if (dots + commas > 1) return dots > 1 ? ',' : '.';
  if (EITHER.test(digits)) return 'either';
  return dots === 1 ? '.' : ',';
}

function countOf(text: string, character: string): number {
  return text.split(character).length - 1;
}

function toFinite(text: string): number | string {
  const number = Number(text);
  return Number.isFinite(number) ? number : 'is not a finite number';
}
