/** The value below which `share` of the values lie (nearest rank); NaN for none. */
export function toPercentile(values: readonly number[], share: number): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function toMedian(values: readonly number[]): number {
  return toPercentile(values, 0.5);
}
