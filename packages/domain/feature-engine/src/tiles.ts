/** What happened in one tile of time. Money in units of 1e-4. */
export interface Tile {
  /** floor(time / tile length). */
  readonly index: number;
  readonly events: number;
  readonly orders: number;
  readonly revenueUnits: number;
  readonly refunds: number;
  readonly refundUnits: number;
}

/** Tiles by index, ascending; those in which nothing happened are absent. Never changed in place. */
export type Tiles = readonly Tile[];

/** With `tile` added to the one of its index. */
export function addTile(tiles: Tiles, tile: Tile): Tiles {
  let place = tiles.length;
  while (place > 0 && (tiles[place - 1] as Tile).index >= tile.index) place -= 1;
  const after = tiles.slice();
  const there = tiles[place];
  if (there !== undefined && there.index === tile.index) after[place] = sumTiles(there, tile);
  else after.splice(place, 0, tile);
  return after;
}

/** Both series in one. */
export function mergeTiles(a: Tiles, b: Tiles): Tiles {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged: Tile[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    if (right === undefined || (left !== undefined && left.index < right.index)) {
      merged.push(left as Tile);
      i += 1;
    } else if (left === undefined || right.index < left.index) {
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

/** Without the tiles before `indexMin`; the same series when there are none. */
export function dropTilesBefore(tiles: Tiles, indexMin: number): Tiles {
  const place = findTile(tiles, indexMin);
  return place === 0 ? tiles : tiles.slice(place);
}

/** Place of the first tile at or after an index. */
export function findTile(tiles: Tiles, index: number): number {
  let place = 0;
  while (place < tiles.length && (tiles[place] as Tile).index < index) place += 1;
  return place;
}

function sumTiles(a: Tile, b: Tile): Tile {
  return {
    index: a.index,
    events: a.events + b.events,
    orders: a.orders + b.orders,
    revenueUnits: a.revenueUnits + b.revenueUnits,
    refunds: a.refunds + b.refunds,
    refundUnits: a.refundUnits + b.refundUnits,
  };
}
