import { AMOUNT_MAX, readField } from '@perennial/commerce';

/**
 * Amounts are added up in whole units of 1e-4: the sum is exact and does not depend on the order of events, for 900 of the
 * greatest amounts.
 */
export const UNITS_PER_AMOUNT = 1e4;

const DECIMAL = /^[+-]?\d+(\.\d+)?$/;

/** The first property that is an amount; undefined when none is. */
export function readAmount(properties: unknown, names: readonly string[]): number | undefined {
  for (const name of names) {
    const amount = toAmount(readField(properties, name));
    if (amount !== undefined) return amount;
  }
  return undefined;
}

/** Nearest whole number of units; + 0 turns -0 into 0, which has the same encoding but compares as different. */
export function toUnits(amount: number | undefined): number {
  return amount === undefined ? 0 : Math.round(amount * UNITS_PER_AMOUNT) + 0;
}

/** The first property that is an id (a non-empty string, or a finite number, which counts as its text). */
export function readId(properties: unknown, names: readonly string[]): string | undefined {
  for (const name of names) {
    const id = toId(readField(properties, name));
    if (id !== undefined) return id;
  }
  return undefined;
}

/** A finite number within the limit, also as a decimal string; anything else is unknown, never zero. */
function toAmount(value: unknown): number | undefined {
  const amount = typeof value === 'string' && DECIMAL.test(value.trim()) ? Number(value) : value;
  return typeof amount === 'number' && Math.abs(amount) <= AMOUNT_MAX ? amount : undefined;
}

/** Why a value that is there is no amount; undefined for an amount. */
export function findAmountProblem(value: unknown): 'wrong_type' | 'out_of_range' | undefined {
  if (toAmount(value) !== undefined) return undefined;
  const isNumber = typeof value === 'number' || (typeof value === 'string' && DECIMAL.test(value.trim()));
  return isNumber ? 'out_of_range' : 'wrong_type';
}

function toId(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
