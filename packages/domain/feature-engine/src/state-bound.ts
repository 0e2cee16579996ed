import { ACTIVE_DAYS_MAX } from './accumulators/days.js';
import { DISTINCT_EXACT_MAX } from './accumulators/distinct-sketch.js';
import { ID_BYTES_MAX } from './accumulators/kept-ids.js';
import { RECENT_TIMES_MAX } from './accumulators/recent-times.js';
import { STRETCHES_MAX } from './accumulators/sessions.js';
import { TOP_CELLS_MAX } from './accumulators/tops.js';
import type { CorrectionRules } from './corrections/correction-rules.js';
import { KEPT_ORDER_BYTES_MAX, TAKEN_BACK_MEMORY } from './corrections/corrections.js';
import { toKeptOutBytesMax } from './corrections/kept-out.js';
import { type FeatureDefinition, isLocal } from './definition.js';
import { MESSAGE_IDS_MAX } from './message-memory.js';
import { type NumberNeed, toNumberNeeds } from './number-needs.js';
import { ORDER_IDS_MAX } from './order-memory.js';
import { listLeftOut } from './outlying.js';
import { DAY_MS, toTileMs } from './time.js';

/** A whole number below 2^53, seven bits a byte. */
const NUMBER_BYTES = 8;
/** An amount: one bit is the sign. */
const AMOUNT_BYTES = 9;
/** The number of items of a list, or the distance between two tiles or days that are kept. */
const COUNT_BYTES = 3;
/** What of 16 columns is zero or one, two bits each. */
const HEAD_BYTES = 5;
const COLUMNS_PER_HEAD = 16;
const HASH_BYTES = 8;
/** A time within 12 hours. */
const TIME_BYTES = 4;
/** A decaying sum weighs no tile that is older: see `accumulators/decays.ts`. */
const DECAY_TILES = 128;

/** Bytes of a state besides its features: version, spec, time, ids of messages and orders. */
export const MEMORY_BYTES_MAX =
  1 +
  HASH_BYTES +
  AMOUNT_BYTES +
  2 * (COUNT_BYTES + NUMBER_BYTES) +
  (MESSAGE_IDS_MAX + ORDER_IDS_MAX) * (HASH_BYTES + 2);

/** What an order has besides its properties: ids, name, context, amounts. */
const ORDER_HEAD_BYTES = 1_024;
/** Messages of one order: the first one, and the one that has its amount. */
const ORDER_MESSAGES = 2;

/** Bytes at most of which events had outliers that the features of a spec leave out. */
export function toOutlierBytesMax(definitions: readonly FeatureDefinition[]): number {
  return toKeptOutBytesMax(listLeftOut(definitions));
}

/** Bytes at most of what a spec's rule of corrections keeps. */
export function toCorrectionBytesMax(rules: CorrectionRules | undefined): number {
  if (rules === undefined) return 0;
  const orders = rules.keep * ORDER_MESSAGES * (KEPT_ORDER_BYTES_MAX + ORDER_HEAD_BYTES);
  return orders + TAKEN_BACK_MEMORY.idsMax * (HASH_BYTES + 2);
}

/**
 * Bytes of a state at most for one feature, whatever a profile does. Features that share an accumulator need less together
 * than the sum of theirs; a ratio keeps nothing.
 */
export function toBytesMax(definition: FeatureDefinition): number {
  return toSumBytes(toNumberNeeds(definition)) + toOwnBytes(definition);
}

/** Sums: those of one tile length are columns of one series, as long as its longest window. */
function toSumBytes(needs: readonly NumberNeed[]): number {
  const series = new Map<number | undefined, { tiles: number; readonly keys: Set<string> }>();
  for (const { stream, window } of needs) {
    const { tileMs, tiles } = toTiles(window);
    const known = series.get(tileMs) ?? { tiles, keys: new Set() };
    known.tiles = Math.max(known.tiles, tiles);
    series.set(tileMs, known);
    known.keys.add(stream.key);
  }
  let bytes = 0;
  for (const { tiles, keys } of series.values()) {
    const row = Math.ceil(keys.size / COLUMNS_PER_HEAD) * HEAD_BYTES + keys.size * NUMBER_BYTES;
    bytes += COUNT_BYTES + tiles * (COUNT_BYTES + row);
  }
  return bytes;
}

/** The whole life is one row. */
function toTiles(window: NumberNeed['window']): { readonly tileMs: number | undefined; readonly tiles: number } {
  if (window === undefined) return { tileMs: undefined, tiles: 1 };
  if ('halfLifeMs' in window) return { tileMs: window.halfLifeMs, tiles: DECAY_TILES };
  return { tileMs: window.tileMs, tiles: countTiles(window.windowMs, window.tileMs) };
}

/** Those that a window can reach into at once. */
function countTiles(windowMs: number | undefined, tileMs: number | undefined): number {
  return windowMs === undefined || tileMs === undefined ? 1 : Math.ceil(windowMs / tileMs) + 1;
}

/** What is kept besides sums. */
function toOwnBytes(definition: FeatureDefinition): number {
  switch (definition.aggregation) {
    case 'min':
    case 'max':
      return toRowBytes(definition.windowMs, 2 * AMOUNT_BYTES);
    case 'first':
    case 'last':
      return toRowBytes(definition.windowMs, 2 * NUMBER_BYTES + 2 * AMOUNT_BYTES);
    case 'distinct':
      return 1 + 2 * HASH_BYTES + COUNT_BYTES + DISTINCT_EXACT_MAX * (HASH_BYTES + 2);
    case 'top_count':
    case 'top_share':
    case 'entropy':
      // Each in a tile of its own: distance and number of the tile's ids, place or text of the id, its count.
      return COUNT_BYTES + TOP_CELLS_MAX * (3 * COUNT_BYTES + 1 + ID_BYTES_MAX + NUMBER_BYTES);
    case 'sessions_count':
    case 'session_length_mean':
      return COUNT_BYTES + STRETCHES_MAX * (COUNT_BYTES + 2 * TIME_BYTES);
    case 'active_days':
    case 'streak':
    case 'longest_streak':
      return toDaysBytes(definition.windowMs, isLocal(definition));
    case 'days_since_first':
    case 'days_since_last':
    case 'gap_mean':
      return 2 * NUMBER_BYTES;
    case 'gap_std':
    case 'gap_quantile':
    case 'regularity':
      return COUNT_BYTES + RECENT_TIMES_MAX * NUMBER_BYTES;
    case 'count':
    case 'sum':
    case 'mean':
    case 'std':
    case 'trend':
    case 'share':
    case 'amount_share':
    case 'hour_share':
    case 'weekday_share':
    case 'decayed_count':
    case 'decayed_sum':
    case 'ratio':
      return 0;
  }
}

function toRowBytes(windowMs: number | undefined, row: number): number {
  const tileMs = windowMs === undefined ? undefined : toTileMs(windowMs);
  return COUNT_BYTES + countTiles(windowMs, tileMs) * (COUNT_BYTES + row);
}

function toDays(windowMs: number | undefined): number {
  return windowMs === undefined ? Number.POSITIVE_INFINITY : countTiles(windowMs, DAY_MS);
}

/** Days of zones reach a day further at both ends; the newest event's time and offset are kept beside them. */
function toDaysBytes(windowMs: number | undefined, local: boolean): number {
  const days = Math.min(ACTIVE_DAYS_MAX, toDays(windowMs) + (local ? 2 : 0));
  return COUNT_BYTES * (1 + days) + (local ? 2 * NUMBER_BYTES : 0);
}
