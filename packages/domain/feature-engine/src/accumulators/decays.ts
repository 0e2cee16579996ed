import type { Accumulator, Reading } from './accumulator.js';
import type { Tile, TileSeries } from './tile-series.js';
import { createTiles, type TilesOptions } from './tiles.js';

/** Steps of a half-life: a step is one tile. */
const STEPS_PER_HALF_LIFE = 8;

/** A tile of this many steps ago weighs nothing: it would weigh 2^-16. */
const STEPS_MAX = 128;

/** 2^(-k / 8), correctly rounded: `Math.pow` may be off by a bit, and by which is up to the engine. */
const EIGHTHS = [
  1,
  0.9170040432046712,
  0.8408964152537145,
  0.7711054127039704,
  Math.SQRT1_2,
  0.6484197773255048,
  0.5946035575013605,
  0.5452538663326288,
] as const;

/** Weight of a tile by its distance from the current one. */
const WEIGHTS = Array.from(
  { length: STEPS_MAX },
  (_, steps) => (EIGHTHS[steps % STEPS_PER_HALF_LIFE] as number) / 2 ** Math.floor(steps / STEPS_PER_HALF_LIFE),
);

export interface DecaysOptions {
  readonly streams: TilesOptions['streams'];
  readonly halfLifeMs: number;
}

/**
 * Sums of streams in which an event weighs half as much after each half-life, in steps: that of k tiles ago weighs
 * 2^(-k / 8). So they are weighted sums over tiles, which merge as those of windows do. Gives one number per column.
 */
export function createDecays({ streams, halfLifeMs }: DecaysOptions): Accumulator<TileSeries> {
  const tileMs = halfLifeMs / STEPS_PER_HALF_LIFE;
  const windows = [{ windowMs: (STEPS_MAX - 1) * tileMs, columns: [] }];
  return {
    ...createTiles({ streams, windows, tileMs }),
    key: `decay/${tileMs}`,
    read: (state, atMs) => weigh(state, { columns: streams.length, current: Math.floor(atMs / tileMs), tileMs }),
  };
}

/** From the newest tile to the oldest, so that equal states give equal bits. */
function weigh(
  tiles: TileSeries,
  { columns, current, tileMs }: { columns: number; current: number; tileMs: number },
): Reading {
  const numbers = new Array<number>(columns).fill(0);
  let changesAtMs = Number.POSITIVE_INFINITY;
  for (let place = tiles.length - 1; place >= 0; place -= 1) {
    const tile = tiles[place] as Tile;
    const weight = WEIGHTS[current - tile[0]];
    if (weight === undefined) break;
    changesAtMs = (current + 1) * tileMs;
    for (let column = 0; column < columns; column += 1) {
      numbers[column] = (numbers[column] as number) + weight * (tile[column + 1] as number);
    }
  }
  return { numbers, changesAtMs };
}
