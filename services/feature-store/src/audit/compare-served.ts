import type { FeatureSpecs } from '@perennial/feature-engine';
import type { CausedUpdate } from './recompute.js';

/** A value that was served, and what the archive gives at the same position; null for no value. */
export interface Mismatch {
  readonly profileKey: string;
  readonly partition: number;
  readonly offset: number;
  /** A feature; `(update)` where a whole vector is missing on one side, `(spec)`, `(asOf)`. */
  readonly feature: string;
  readonly served: string;
  readonly recomputed: string;
}

/**
 * Compares the vectors of one profile bit for bit, offset by offset. What was served twice must be equal both times; what
 * was recomputed and not served is missing between the offsets that the topic reaches.
 */
export function compareServed(
  served: readonly CausedUpdate[],
  recomputed: readonly CausedUpdate[],
  {
    partition,
    specs,
    reach,
  }: {
    readonly partition: number;
    readonly specs: FeatureSpecs;
    readonly reach: { readonly from: number; readonly to: number };
  },
): { readonly compared: number; readonly mismatches: readonly Mismatch[] } {
  const expected = new Map(recomputed.map((update) => [update.offset, update]));
  const seen = new Set(served.map(({ offset }) => offset));
  const mismatches: Mismatch[] = [];
  let compared = 0;
  for (const update of served) {
    if (update.offset > reach.to) continue;
    compared += 1;
    mismatches.push(...compareUpdates(update, expected.get(update.offset), { partition, specs }));
  }
  const from = Math.max(reach.from, served[0]?.offset ?? Number.POSITIVE_INFINITY);
  for (const { key, offset } of recomputed) {
    if (offset < from || offset > reach.to || seen.has(offset)) continue;
    mismatches.push({ profileKey: key, partition, offset, feature: '(update)', served: 'none', recomputed: 'one' });
  }
  return { compared, mismatches };
}

function compareUpdates(
  { key, offset, update: a }: CausedUpdate,
  found: CausedUpdate | undefined,
  { partition, specs }: { readonly partition: number; readonly specs: FeatureSpecs },
): Mismatch[] {
  const at = { profileKey: key, partition, offset };
  if (found === undefined) return [{ ...at, feature: '(update)', served: 'one', recomputed: 'none' }];
  const b = found.update;
  if (a.specHash !== b.specHash) return [{ ...at, feature: '(spec)', served: a.specHash, recomputed: b.specHash }];
  const mismatches: Mismatch[] = [];
  if (a.asOfMs !== b.asOfMs)
    mismatches.push({ ...at, feature: '(asOf)', served: String(a.asOfMs), recomputed: String(b.asOfMs) });
  const names = specs.find(a.specHash)?.names ?? [];
  for (let i = 0; i < Math.max(a.values.length, b.values.length); i++) {
    if (Object.is(a.values[i], b.values[i])) continue;
    const feature = names[i] ?? `feature ${i}`;
    mismatches.push({ ...at, feature, served: toText(a.values[i]), recomputed: toText(b.values[i]) });
  }
  return mismatches;
}

/** All digits: two values may differ in the last one. */
function toText(value: number | undefined): string {
  if (value === undefined) return 'absent';
  return Number.isNaN(value) ? 'null' : Object.is(value, -0) ? '-0' : String(value);
}
