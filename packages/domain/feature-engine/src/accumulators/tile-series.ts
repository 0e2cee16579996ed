/**
 * The sums of one tile of time: its index, floor(time / tile length), then one sum per column. An array, not an object,
 * because the columns are known only when a spec is compiled.
 */
export type Tile = readonly [index: number, ...sums: number[]];

/** Tiles by index, ascending; tiles without events are absent. Never changed in place. */
export type TileSeries = readonly Tile[];

/** A tile without events. New tiles are copies of it, which takes a third of the time of growing one by `push`. */
export function createBlankTile(columns: number): [index: number, ...sums: number[]] {
  return [0, ...new Array<number>(columns).fill(0)];
}

/** The series with `tile` added to the tile of its index. */
export function addTile(tiles: TileSeries, tile: Tile): TileSeries {
  let place = tiles.length;
  while (place > 0 && (tiles[place - 1] as Tile)[0] >= tile[0]) place -= 1;
  const after = tiles.slice();
  const there = tiles[place];
  if (there !== undefined && there[0] === tile[0]) after[place] = sumTiles(there, tile);
  else after.splice(place, 0, tile);
  return after;
}

/** The sum of both series. */
export function mergeTiles(a: TileSeries, b: TileSeries): TileSeries {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged: Tile[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (right === undefined || (left !== undefined && left[0] < right[0])) {
      merged.push(left as Tile);
      i += 1;
    } else if (left === undefined || right[0] < left[0]) {
      merged.push(right);
      j += 1;
    } else {
      merged.push(sumTiles(left, right));
      i += 1;
      j += 1;
    }
  }
  return merged;
}

/** The series without tiles before `indexMin`; the same object when there are none. */
export function dropTilesBefore(tiles: TileSeries, indexMin: number): TileSeries {
  let place = 0;
  while (place < tiles.length && (tiles[place] as Tile)[0] < indexMin) place += 1;
  return place === 0 ? tiles : tiles.slice(place);
}

function sumTiles(a: Tile, b: Tile): Tile {
  const sum = a.slice() as [number, ...number[]];
  for (let at = 1; at < sum.length; at += 1) sum[at] = (sum[at] as number) + (b[at] as number);
  return sum;
}
