import { assert } from '@perennial/kernel';
import type { Accumulator } from './accumulators/accumulator.js';
import { type Corrections, toStored } from './corrections/corrections.js';
import { EMPTY_MEMORY, type IdMemory } from './id-memory.js';
import type { FeaturePlan } from './plan.js';

/** The folded events of one profile. Immutable: every engine function returns a new state or its argument. */
export interface EngineState {
  /** Hash of the spec that defines the slots. */
  readonly specHash: string;
  /** Latest known time: the greatest of all event times and `advance` times; 0 for an empty state. */
  readonly asOfMs: number;
  /** One accumulator state per slot, in the order of the spec's plan; only that accumulator knows its structure. */
  readonly slots: readonly unknown[];
  readonly messages: IdMemory;
  /** The orders and refunds that were counted, so that each counts once whatever message it comes in. */
  readonly orders: IdMemory;
  /** Of events that were or may be taken back; absent for a profile that knows nothing of the kind. */
  readonly corrections?: Corrections;
}

/** The state of a profile without events. */
export function createEmptyState({ specHash, slots }: FeaturePlan): EngineState {
  const memories = { messages: EMPTY_MEMORY, orders: EMPTY_MEMORY };
  return Object.freeze({ specHash, asOfMs: 0, slots: slots.map(({ empty }) => empty), ...memories });
}

/** The state with other corrections, or without any. */
export function withCorrections(state: EngineState, corrections: Corrections | undefined): EngineState {
  const stored = corrections && toStored(corrections);
  if (stored !== undefined) return { ...state, corrections: stored };
  const { corrections: _, ...rest } = state;
  return rest;
}

/** A state of another spec has other data in its slots: folding into it would give meaningless numbers. */
export function checkSpec(plan: FeaturePlan, state: EngineState): void {
  assert(state.specHash === plan.specHash, 'a state is used under the spec that made it');
}

/** Next state of each slot; the same list object when no slot has changed. */
export function mapSlots(
  plan: FeaturePlan,
  slots: readonly unknown[],
  next: (accumulator: Accumulator, slot: unknown) => unknown,
): readonly unknown[] {
  let isChanged = false;
  const after = plan.slots.map((accumulator, index) => {
    const slot = next(accumulator, slots[index]);
    if (slot !== slots[index]) isChanged = true;
    return slot;
  });
  return isChanged ? after : slots;
}
