/** A trait's value: text, number, boolean, a time (UTC ms), or `removed`, which hides the values before it. */
export type TraitValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'flag'; readonly flag: boolean }
  | { readonly kind: 'time'; readonly timeMs: number }
  | { readonly kind: 'removed' };

/** What an event says of a profile: `plan` is `pro`. A nested name has dots: `company.plan`. */
export interface Trait {
  readonly name: string;
  readonly value: TraitValue;
}

/** A value, and when it was last said. */
export interface StampedValue {
  readonly value: TraitValue;
  /** Time of the event, UTC ms, 0 or later. */
  readonly atMs: number;
}

/** The order of kinds, where two values are said at the same time; also their codes in bytes. */
export const VALUE_KINDS = ['removed', 'flag', 'number', 'time', 'text'] as const;

/** Sorts the newest first; equal times by value, so that any order of arrival gives the same. */
export function compareStamped(a: StampedValue, b: StampedValue): number {
  return b.atMs - a.atMs || compareValues(b.value, a.value);
}

export function compareValues(a: TraitValue, b: TraitValue): number {
  const byKind = VALUE_KINDS.indexOf(a.kind) - VALUE_KINDS.indexOf(b.kind);
  if (byKind !== 0) return byKind;
  const [x, y] = [toComparable(a), toComparable(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function toComparable(value: TraitValue): string | number {
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'number':
      return value.number;
    case 'flag':
      return Number(value.flag);
    case 'time':
      return value.timeMs;
    case 'removed':
      return 0;
  }
}
