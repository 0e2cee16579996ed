/**
 * ISO 4217's code for "no currency": stands for a currency that was sent in a form that is no code, so that its amounts
 * are in no sum.
 */
export const UNREADABLE_CURRENCY = 'XXX';

const CODE = /^[A-Za-z]{3}$/;
/** What exchanges write for a hundredth: its capitals are the code of the whole. */
const HUNDREDTH = /^[A-Z]{2}[a-z]$/;

/**
 * The first of some values that says a currency, from the most specific to the most general: a code of ISO 4217 in
 * capitals, or '' when nobody said one. Absent, null and empty say
 * none; anything else that has not the form of a code is `UNREADABLE_CURRENCY`: what a sender meant is not guessed.
 */
export function readCurrency(values: readonly unknown[]): string {
  for (const value of values) {
    if (value === undefined || value === null) continue;
    const text = typeof value === 'string' ? value.trim() : undefined;
    if (text === '') continue;
    return text !== undefined && CODE.test(text) && !HUNDREDTH.test(text) ? text.toUpperCase() : UNREADABLE_CURRENCY;
  }
  return '';
}
