import { type GridThresholds, listGridMeasures, toGridSegments, toGridThresholds } from './grid.js';
import type { Measure, Population } from './population/population.js';
import { toRankMeasure, toRankSegment, toRankThreshold } from './rank.js';
import type { Segment } from './segment.js';
import type { Segments } from './segments.js';

/** What has to be known of the population; none for segments that compare nobody with others. */
export function listMeasures({ grids, ranks }: Segments): Measure[] {
  return [...ranks.map(toRankMeasure), ...grids.flatMap(listGridMeasures)];
}

/** The thresholds that follow from a population, by the name of the grid or tag; null while they are not known. */
export function toThresholds(
  { grids, ranks }: Segments,
  population: Population | undefined,
): Record<string, GridThresholds | number | null> {
  return Object.fromEntries([
    ...ranks.map((rank) => [rank.name, toRankThreshold(rank, population) ?? null]),
    ...grids.map((grid) => [grid.name, toGridThresholds(grid, population) ?? null]),
  ]);
}

/** The segments with thresholds by a population; their number and order do not depend on it. */
export function withPopulation(segments: Segments, population: Population | undefined): Segments {
  if (segments.grids.length + segments.ranks.length === 0) return segments;
  const rebuilt = new Map<string, Segment>();
  for (const rank of segments.ranks) rebuilt.set(rank.name, toRankSegment(rank, toRankThreshold(rank, population)));
  for (const grid of segments.grids) {
    for (const segment of toGridSegments(grid, toGridThresholds(grid, population))) rebuilt.set(segment.name, segment);
  }
  const all = [...segments.segments].map(([name, segment]) => [name, rebuilt.get(name) ?? segment] as const);
  return { ...segments, segments: new Map(all) };
}
