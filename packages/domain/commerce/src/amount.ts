/** Greater amounts are mistakes: 900 of the greatest still add up exactly in units of 1e-4. */
export const AMOUNT_MAX = 1e9;

/** The reading of a value that should be an amount of money. */
export type AmountReading =
  | { readonly kind: 'amount'; readonly amount: number }
  /** Absent, null or an empty text: the sender does not know it, which is not zero. */
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'out_of_range' };

const NONE = { kind: 'none' } as const;
const INVALID = { kind: 'invalid' } as const;

/** As JSON writes numbers, and as people type them: `12`, `+12.50`, `.5`, `1e3`. */
const PLAIN = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
/** Groups of three digits and a decimal part, with two different separators: `1,234.50`, `1.234,50`, `1 234,50`, `1'234.50`. */
const GROUPED = [
  { form: /^[+-]?\d{1,3}(,\d{3})+\.\d*$/, group: /,/g, decimal: '.' },
  { form: /^[+-]?\d{1,3}(\.\d{3})+,\d*$/, group: /\./g, decimal: ',' },
  { form: /^[+-]?\d{1,3}([ \u00a0\u202f]\d{3})+([.,]\d*)?$/, group: /[ \u00a0\u202f]/g, decimal: ',' },
  { form: /^[+-]?\d{1,3}(['\u2019]\d{3})+([.,]\d*)?$/, group: /['\u2019]/g, decimal: ',' },
  // A decimal separator comes once, so these are groups: `1,234,567`.
  { form: /^[+-]?\d{1,3}(,\d{3}){2,}$/, group: /,/g, decimal: '.' },
  { form: /^[+-]?\d{1,3}(\.\d{3}){2,}$/, group: /\./g, decimal: ',' },
  // A group has three digits, so with any other number of them the comma is a decimal one: `12,50`.
  { form: /^[+-]?\d+,(\d{1,2}|\d{4,})$/, group: /\s/g, decimal: ',' },
] as const;

/**
 * Reads a finite number within ±`AMOUNT_MAX`, also from a text that can be read in one way only. `1,234` may be 1234
 * or 1.234, and a text with a currency sign says something about the currency too: these are invalid, never guessed.
 */
export function parseAmount(value: unknown): AmountReading {
  if (value === undefined || value === null) return NONE;
  const amount = typeof value === 'string' ? parseText(value.trim()) : value;
  if (amount === undefined) return NONE;
  if (typeof amount !== 'number' || Number.isNaN(amount)) return INVALID;
  if (Math.abs(amount) > AMOUNT_MAX) return { kind: 'out_of_range' };
  return { kind: 'amount', amount };
}

/** Undefined for an empty text, NaN for one that is no number. */
function parseText(text: string): number | undefined {
  if (text === '') return undefined;
  if (PLAIN.test(text)) return Number(text);
  const found = GROUPED.find(({ form }) => form.test(text));
  return found === undefined ? Number.NaN : Number(text.replace(found.group, '').replace(found.decimal, '.'));
}
