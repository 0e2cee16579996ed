import type { IdCount } from './accumulators/accumulator.js';
import { readFeature } from './feature-reader.js';
import type { FeaturePlan } from './plan.js';
import { toRatio } from './ratios.js';
import { checkSpec, type EngineState } from './state.js';
import { DAY_MS } from './time.js';

/** A profile's features at a time. */
export interface FeatureVector {
  /** One value per feature in the order of the spec; null stands for "no value". */
  readonly values: Array<number | null>;
  /** When a windowed value may next change without a new event, and not before; undefined when it never does. */
  readonly validUntilMs: number | undefined;
}

/** See `CompiledFeatures.vector`. */
export function toVector(plan: FeaturePlan, state: EngineState, nowMs: number): FeatureVector {
  checkSpec(plan, state);
  const atMs = Math.max(nowMs, state.asOfMs);
  const readings: Array<readonly number[]> = [];
  let changesAtMs = Number.POSITIVE_INFINITY;
  for (let index = 0; index < plan.slots.length; index += 1) {
    const reading = plan.slots[index]?.read(state.slots[index], atMs);
    if (reading === undefined) continue;
    readings.push(reading.numbers);
    changesAtMs = Math.min(changesAtMs, reading.changesAtMs);
  }
  const values: Array<number | null> = [];
  for (const reader of plan.readers) values.push(readFeature(reader, readings, atMs));
  return { values, validUntilMs: Number.isFinite(changesAtMs) ? changesAtMs : undefined };
}

/** See `CompiledFeatures.tops`. */
export function toTops(plan: FeaturePlan, state: EngineState, nowMs: number): Record<string, readonly IdCount[]> {
  checkSpec(plan, state);
  const atMs = Math.max(nowMs, state.asOfMs);
  const bySlot = new Map<number, ReadonlyArray<readonly IdCount[]>>();
  return Object.fromEntries(
    plan.tops.map(({ name, slot, window }) => {
      const found = bySlot.get(slot) ?? plan.slots[slot]?.tops?.(state.slots[slot], atMs) ?? [];
      bySlot.set(slot, found);
      return [name, found[window] ?? []];
    }),
  );
}

/** See `CompiledFeatures.advanceClock`. */
export function advanceClock<T extends number | null>(
  plan: FeaturePlan,
  values: readonly T[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): T[] {
  const after = values.slice();
  for (const index of plan.clockFeatures) {
    const value = values[index];
    // A day count is a whole number of milliseconds over 86,400,000: rounding restores that number exactly.
    if (typeof value === 'number') after[index] = ((Math.round(value * DAY_MS) + (toMs - fromMs)) / DAY_MS) as T;
  }
  for (const { index, numerator, denominator } of plan.clockRatios) {
    const ratio = toRatio(after[numerator] ?? null, after[denominator] ?? null);
    // Which of the sides is missing does not depend on the time, and in what form it is missing is up to the caller.
    if (ratio !== null && !Number.isNaN(ratio)) after[index] = ratio as T;
  }
  return after;
}
