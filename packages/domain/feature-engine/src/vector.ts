import { unreachable } from '@perennial/kernel';
import { UNITS_PER_AMOUNT } from './event.js';
import { countProducts } from './product-sketch.js';
import {
  DAY_MS,
  FEATURE_SPEC,
  FEATURES,
  type Feature,
  HOUR_MS,
  type Measure,
  PRODUCT_WINDOW_DAYS,
  toFirstTile,
  toTileMs,
} from './spec.js';
import type { EngineState } from './state.js';
import { findTile, type Tile } from './tiles.js';

/** A profile's features at a time. */
export interface FeatureVector {
  /** One value a feature in the order of `FEATURE_SPEC.names`; null stands for "no value". */
  readonly values: Array<number | null>;
  /** When a windowed value next changes without a new event; undefined when it never will. */
  readonly validUntilMs: number | undefined;
}

/** A window that some features share, with the measures they ask of it. */
interface Window {
  readonly days: number;
  readonly measures: readonly Measure[];
}

/** What a window holds at a time, and when the oldest of it leaves. */
interface WindowSums {
  readonly sums: Record<Measure, number>;
  readonly changesAtMs: number;
}

const WINDOWS: readonly Window[] = listWindows();

/**
 * The features of a state at `nowMs`. A state knows nothing of the past before its own time, so for a `nowMs` before
 * `state.asOfMs` it answers for `asOfMs`. Between `nowMs` and `validUntilMs` only the features of `advanceClockFeatures`
 * change.
 */
export function vector(state: EngineState, nowMs: number): FeatureVector {
  const atMs = Math.max(nowMs, state.asOfMs);
  const windows = new Map(WINDOWS.map((window) => [window.days, sumWindow(state, window, atMs)]));
  const products = countProducts(state.products, toFirstTile(atMs, PRODUCT_WINDOW_DAYS * DAY_MS));
  let changesAtMs = (products.oldestDay + 1) * DAY_MS + PRODUCT_WINDOW_DAYS * DAY_MS;
  for (const window of windows.values()) changesAtMs = Math.min(changesAtMs, window.changesAtMs);
  const values = FEATURES.map((feature) => toValue(feature, state, windows, products.count, atMs));
  return { values, validUntilMs: Number.isFinite(changesAtMs) ? changesAtMs : undefined };
}

/**
 * Moves the features that are linear in time (recency, tenure) from one time to another, with the very bits that `vector`
 * would give; the others are returned as they are.
 */
export function advanceClockFeatures<T extends number | null>(values: readonly T[], fromMs: number, toMs: number): T[] {
  return values.map((value, index) => {
    if (value === null || FEATURE_SPEC.features[index]?.kind !== 'daysSince') return value;
    // A day count is a whole number of milliseconds over 86,400,000: rounding gets that number back exactly.
    return ((Math.round(value * DAY_MS) + (toMs - fromMs)) / DAY_MS) as T;
  });
}

function toValue(
  feature: Feature,
  state: EngineState,
  windows: ReadonlyMap<number, WindowSums>,
  products: number,
  atMs: number,
): number | null {
  switch (feature.kind) {
    case 'windowed':
      return toPublic(feature.measure, windows.get(feature.windowDays)?.sums[feature.measure] ?? 0);
    case 'total':
      return toPublic(feature.measure, feature.measure === 'revenue' ? state.revenueUnits : state[feature.measure]);
    case 'distinctProducts':
      return products;
    case 'daysSince':
      if (state.orders === 0) return null;
      return (atMs - (feature.order === 'first' ? state.firstOrderMs : state.lastOrderMs)) / DAY_MS;
    case 'gapMean':
      // The gaps between consecutive orders add up to last - first, whatever order they arrived in.
      return state.orders < 2 ? null : (state.lastOrderMs - state.firstOrderMs) / (state.orders - 1) / DAY_MS;
    default:
      return unreachable(feature);
  }
}

function toPublic(measure: Measure, sum: number): number {
  return measure === 'revenue' || measure === 'refundAmount' ? sum / UNITS_PER_AMOUNT : sum;
}

function sumWindow(state: EngineState, window: Window, atMs: number): WindowSums {
  const windowMs = window.days * DAY_MS;
  const tileMs = toTileMs(windowMs);
  const tiles = tileMs === HOUR_MS ? state.hours : state.days;
  const sums = { events: 0, orders: 0, revenue: 0, refunds: 0, refundAmount: 0 };
  let oldest = Infinity;
  for (let place = findTile(tiles, toFirstTile(atMs, windowMs)); place < tiles.length; place += 1) {
    const tile = tiles[place] as Tile;
    sums.events += tile.events;
    sums.orders += tile.orders;
    sums.revenue += tile.revenueUnits;
    sums.refunds += tile.refunds;
    sums.refundAmount += tile.refundUnits;
    if (oldest === Infinity && isAsked(tile, window.measures)) oldest = tile.index;
  }
  return { sums, changesAtMs: (oldest + 1) * tileMs + windowMs };
}

/** True when the tile's leaving would change one of the window's features. */
function isAsked(tile: Tile, measures: readonly Measure[]): boolean {
  return measures.some((measure) => {
    if (measure === 'events') return tile.events > 0;
    return measure === 'orders' || measure === 'revenue' ? tile.orders > 0 : tile.refunds > 0;
  });
}

function listWindows(): Window[] {
  const measures = new Map<number, Set<Measure>>();
  for (const feature of FEATURES) {
    if (feature.kind !== 'windowed') continue;
    measures.set(feature.windowDays, (measures.get(feature.windowDays) ?? new Set()).add(feature.measure));
  }
  return [...measures].map(([days, set]) => ({ days, measures: [...set] }));
}
