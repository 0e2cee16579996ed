import type { FeatureDefinition } from './definition.js';

/** Indexes of a ratio and of the two features that it is computed from. */
export interface RatioIndexes {
  readonly index: number;
  readonly numerator: number;
  readonly denominator: number;
}

/** The ratios of a spec. */
export function toRatioIndexes(definitions: readonly FeatureDefinition[]): readonly RatioIndexes[] {
  const places = new Map(definitions.map(({ name }, index) => [name, index]));
  return definitions.flatMap((definition, index) => {
    if (definition.aggregation !== 'ratio') return [];
    const { numerator, denominator } = definition;
    return [{ index, numerator: places.get(numerator) ?? -1, denominator: places.get(denominator) ?? -1 }];
  });
}

/** The quotient; null when a side is null or the denominator is 0. */
export function toRatio(numerator: number | null, denominator: number | null): number | null {
  if (numerator === null || denominator === null || denominator === 0) return null;
  return numerator / denominator;
}
