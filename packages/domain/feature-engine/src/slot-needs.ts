import { must } from '@perennial/kernel';
import type { GapMeasure } from './accumulators/gaps.js';
import type { TiledRowsOptions } from './accumulators/tiled-rows.js';
import { toCanonicalJson } from './canonical.js';
import { type FeatureDefinition, isLocal, type SessionsDefinition } from './definition.js';
import { createAmountStreams, createCountStream, type NumberStream } from './streams.js';
import { toTileMs } from './time.js';

export type Timed = Extract<FeatureDefinition, { aggregation: 'days_since_first' | 'days_since_last' | 'gap_mean' }>;
export type Distinct = Extract<FeatureDefinition, { aggregation: 'distinct' }>;
export type OfGaps = Extract<FeatureDefinition, { aggregation: 'gap_std' | 'gap_quantile' | 'regularity' }>;
export type ActiveDays = Extract<FeatureDefinition, { aggregation: 'active_days' }>;
export type Streak = Extract<FeatureDefinition, { aggregation: 'streak' | 'longest_streak' }>;

/** Features that are one of the amounts: least and greatest read one accumulator, first and last another. */
export type RowDefinition = Extract<FeatureDefinition, { aggregation: 'min' | 'max' | 'first' | 'last' }>;

export interface Column {
  readonly index: number;
  readonly key: string;
}

/** What features need of the tiles of one length: streams, and the streams needed per window. */
export interface TilesNeed {
  readonly streams: Column[];
  readonly windows: Map<number, Set<string>>;
}

/** Windows that features need of one accumulator; Infinity is the whole life. */
interface WindowsNeed {
  readonly windowsMs: Set<number>;
}

export interface GapsNeed {
  readonly stream: NumberStream;
  readonly index: number;
  readonly measures: GapMeasure[];
}

export interface StreamNeed<Stream> extends WindowsNeed {
  readonly stream: Stream;
  readonly index: number;
}

export interface DaysNeed extends StreamNeed<NumberStream> {
  hasStreaks: boolean;
  /** Days of each event's own time zone. */
  readonly isLocal: boolean;
}

export interface SessionsNeed extends StreamNeed<NumberStream> {
  readonly tileMs: number;
  readonly gapMs: number;
}

export interface RowsNeed extends WindowsNeed {
  readonly options: Pick<TiledRowsOptions, 'key' | 'amount' | 'known' | 'tileMs'>;
  readonly isEnds: boolean;
}

/** A window without an end. */
export const LIFE_MS = Number.POSITIVE_INFINITY;

export function isEnds({ aggregation }: RowDefinition): boolean {
  return aggregation === 'first' || aggregation === 'last';
}

export function toGapMeasure(definition: OfGaps): GapMeasure {
  switch (definition.aggregation) {
    case 'gap_std':
      return { kind: 'deviation' };
    case 'gap_quantile':
      return { kind: 'quantile', quantile: definition.quantile };
    case 'regularity':
      return { kind: 'regularity' };
  }
}

export function findMeasure(measures: readonly GapMeasure[], wanted: GapMeasure): number {
  const text = toCanonicalJson(wanted);
  return measures.findIndex((measure) => toCanonicalJson(measure) === text);
}

export function toRowsNeed(definition: RowDefinition): string {
  const { windowMs = LIFE_MS } = definition;
  const kind = isEnds(definition) ? 'ends' : 'extremes';
  return `${kind}/${toTileMs(windowMs)}/${createAmountStreams(definition).sum.key}`;
}

export function toSessionsNeed({ event, gapMs, windowMs }: SessionsDefinition): string {
  return `sessions/${toTileMs(windowMs)}/${gapMs}/${createCountStream(event).key}`;
}

export function toDaysNeed(definition: ActiveDays | Streak): string {
  return `${isLocal(definition) ? 'local-days' : 'days'}/${createCountStream(definition.event).key}`;
}

export function toIdsNeed(kind: 'distinct' | 'tops', streamKey: string, windowMs: number): string {
  return `${kind}/${toTileMs(windowMs)}/${streamKey}`;
}

export function addColumn(columns: Column[], column: Column): void {
  if (!columns.some(({ key }) => key === column.key)) columns.push(column);
}

/** The shortest keys have the fewest conditions, so their streams see most events; first columns take less space. */
export function byFrequency(a: Column, b: Column): number {
  return a.key.length - b.key.length || (a.key < b.key ? -1 : 1);
}

export function sortWindows(windowsMs: ReadonlySet<number>): number[] {
  return [...windowsMs].sort((a, b) => a - b);
}

/** Place of a window among those that an accumulator was created for. */
export function findWindow(need: WindowsNeed | undefined, windowMs: number): number {
  return sortWindows(must(need, 'what an accumulator was needed for').windowsMs).indexOf(windowMs);
}

export function sortByKey<V>(map: ReadonlyMap<number, V>): Array<[number, V]> {
  return [...map].sort(([a], [b]) => a - b);
}
