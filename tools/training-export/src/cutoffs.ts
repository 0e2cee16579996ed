/** When rows are made, and of whom. */
export interface Cutoffs {
  /** Ascending, without repeats. */
  readonly times: readonly number[];
  /** The profiles wanted at a time; undefined for all that are known then. */
  wanted(timeMs: number): ReadonlySet<string> | undefined;
}

export function toRegularCutoffs(times: readonly number[]): Cutoffs {
  return { times, wanted: () => undefined };
}

export function toPairCutoffs(pairs: ReadonlyArray<{ readonly key: string; readonly cutoffMs: number }>): Cutoffs {
  const byTime = new Map<number, Set<string>>();
  for (const { key, cutoffMs } of pairs) {
    const keys = byTime.get(cutoffMs);
    if (keys === undefined) byTime.set(cutoffMs, new Set([key]));
    else keys.add(key);
  }
  const times = [...byTime.keys()].sort((a, b) => a - b);
  return { times, wanted: (timeMs) => byTime.get(timeMs) ?? new Set() };
}
