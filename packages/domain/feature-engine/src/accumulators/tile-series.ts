import type { Ascending, Order } from './ascending.js';

/**
 * The sums of one tile of time: its index, floor(time / tile length), then one sum per column. An array, not an object,
 * because the columns are known only when a spec is compiled.
 */
export type Tile = readonly [index: number, ...sums: number[]];

/** Tiles by index, ascending; tiles without events are absent. Never changed in place. */
export type TileSeries = Ascending<Tile>;

/**
 * A tile without events. New tiles are copies of it, which takes a third of the time of growing one by `push`. Its numbers are held as
 * doubles from the beginning, else the first amount above 2^30 in a tile copies it.
 */
export function createBlankTile(columns: number): [index: number, ...sums: number[]] {
  const tile: [number, ...number[]] = [0.5, ...new Array<number>(columns).fill(0.5)];
  for (let at = 0; at < tile.length; at += 1) tile[at] = 0;
  return tile;
}

/** Tiles by index; those with one index are added up. */
export const TILE_ORDER: Order<Tile> = { numberOf: ([index]) => index, unite: sumTiles };

function sumTiles(a: Tile, b: Tile): Tile {
  const sum = a.slice() as [number, ...number[]];
  for (let at = 1; at < sum.length; at += 1) sum[at] = (sum[at] as number) + (b[at] as number);
  return sum;
}
