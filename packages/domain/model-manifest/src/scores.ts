import type { Head, ModelManifest } from './manifest.js';

/** Tolerance for float32 rounding past the end of a range; such a value is moved to the end. */
const ROUNDING = 1e-6;

export type CheckedScores =
  | { readonly values: readonly number[] }
  /** Contains the head's name and its value. */
  | { readonly problem: string };

/** One row of a model's results, in the order of the heads: each finite and within its head's range. */
export function checkScores({ name, heads }: Pick<ModelManifest, 'name' | 'heads'>, row: Float32Array): CheckedScores {
  if (row.length !== heads.length) {
    return { problem: `the model ${name} gave ${row.length} numbers for ${heads.length} heads` };
  }
  const values: number[] = [];
  for (let slot = 0; slot < heads.length; slot++) {
    const head = heads[slot] as Head;
    const value = toWithinRange(row[slot] as number, head.range);
    if (value === undefined) {
      const { min, max } = head.range;
      return { problem: `the model ${name} gave ${row[slot]} for ${head.name}, which is from ${min} to ${max}` };
    }
    values.push(value);
  }
  return { values };
}

function toWithinRange(value: number, { min, max }: Head['range']): number | undefined {
  if (value >= min && value <= max) return value;
  if (value >= min - ROUNDING && value <= max + ROUNDING) return Math.fround(value < min ? min : max);
  return undefined;
}

/** The scores by head name, in the order of the heads. */
export function toNamedScores(
  { heads }: Pick<ModelManifest, 'heads'>,
  values: readonly number[],
): Record<string, number> {
  const named: Record<string, number> = {};
  for (let slot = 0; slot < heads.length; slot++) named[(heads[slot] as Head).name] = values[slot] as number;
  return named;
}
