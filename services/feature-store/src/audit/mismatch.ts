import type { AuditMismatch } from '@perennial/contracts';

/** Where two sides differ. */
export type Difference = Pick<AuditMismatch, 'feature' | 'served' | 'recomputed'>;

/** One side of a comparison of two vectors; NaN and null are no value, undefined is a value that the side lacks. */
export interface ComparedVector {
  readonly specHash: string;
  readonly asOf: number | string;
  readonly values: ArrayLike<number | null | undefined>;
}

/** Compares two vectors value by value and bit for bit; of two specs nothing but that. `nameOf` names the i-th feature. */
export function findDifferences(
  served: ComparedVector,
  recomputed: ComparedVector,
  nameOf: (index: number) => string,
): Difference[] {
  if (served.specHash !== recomputed.specHash)
    return [{ feature: '(spec)', served: served.specHash, recomputed: recomputed.specHash }];
  const found: Difference[] = [];
  if (served.asOf !== recomputed.asOf)
    found.push({ feature: '(asOf)', served: String(served.asOf), recomputed: String(recomputed.asOf) });
  for (let i = 0; i < Math.max(served.values.length, recomputed.values.length); i++) {
    const [a, b] = [served.values[i], recomputed.values[i]];
    if (!Object.is(a, b)) found.push({ feature: nameOf(i), served: toText(a), recomputed: toText(b) });
  }
  return found;
}

/** All digits: two values may differ in the last one. */
function toText(value: number | null | undefined): string {
  if (value === undefined) return 'absent';
  if (value === null || Number.isNaN(value)) return 'null';
  return Object.is(value, -0) ? '-0' : String(value);
}
