import { compareStamped, compareValues, type StampedValue } from './trait.js';

/**
 * Different values, each with the time at which it was last said; the newest first, `max` of them. What is kept depends on
 * what was said, not on the order in which it came: a value that is dropped is older than `max` others, and comes back only
 * with a newer time of its own.
 */
export type StampedValues = readonly StampedValue[];

export function mergeStamped(a: StampedValues, b: StampedValues, max: number): StampedValues {
  const merged: StampedValue[] = [];
  for (const stamped of [...a, ...b].sort(compareStamped)) {
    if (merged.length === max) break;
    if (!merged.some(({ value }) => compareValues(value, stamped.value) === 0)) merged.push(stamped);
  }
  return merged;
}
