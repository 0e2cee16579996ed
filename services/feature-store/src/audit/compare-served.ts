import type { AuditMismatch } from '@perennial/contracts';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { findDifferences } from './mismatch.js';
import type { CausedUpdate } from './recompute.js';

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
): { readonly compared: number; readonly mismatches: readonly AuditMismatch[] } {
  const expected = new Map(recomputed.map((update) => [update.offset, update]));
  const seen = new Set(served.map(({ offset }) => offset));
  const mismatches: AuditMismatch[] = [];
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
): AuditMismatch[] {
  const at = { profileKey: key, partition, offset };
  if (found === undefined) return [{ ...at, feature: '(update)', served: 'one', recomputed: 'none' }];
  const names = specs.find(a.specHash)?.names ?? [];
  const toCompared = ({ specHash, asOfMs, values }: CausedUpdate['update']) => ({ specHash, asOf: asOfMs, values });
  const differences = findDifferences(toCompared(a), toCompared(found.update), (i) => names[i] ?? `feature ${i}`);
  return differences.map((difference) => ({ ...at, ...difference }));
}
