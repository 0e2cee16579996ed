import { assert } from '@perennial/kernel';
import type { Accumulator } from './accumulators/accumulator.js';
import { EMPTY_MEMORY, type MessageMemory } from './message-memory.js';
import type { FeaturePlan } from './plan.js';

/** The folded events of one profile. Immutable: every function of the engine returns a new one or the one it got. */
export interface EngineState {
  /** Hash of the spec that says what the slots are. */
  readonly specHash: string;
  /** Latest time the state knows of: the greatest of all event times and `advance` times, 0 for a state of nothing. */
  readonly asOfMs: number;
  /** One accumulator's state a slot, in the order of the spec's plan; only that accumulator knows its shape. */
  readonly slots: readonly unknown[];
  readonly messages: MessageMemory;
}

/** The state of a profile without events. */
export function createEmptyState({ specHash, slots }: FeaturePlan): EngineState {
  return Object.freeze({ specHash, asOfMs: 0, slots: slots.map(({ empty }) => empty), messages: EMPTY_MEMORY });
}

/** A state of another spec has other things in its slots: to fold into it would make numbers that mean nothing. */
export function checkSpec(plan: FeaturePlan, state: EngineState): void {
  assert(state.specHash === plan.specHash, 'a state is used under the spec that made it');
}

/** Each slot's next state; the very list given when no slot has changed. */
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
