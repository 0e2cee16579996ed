import { AppError } from '@perennial/kernel';
import { ByteReader, ByteWriter, damaged } from './bytes.js';
import type { ProductSketch } from './product-sketch.js';
import { DAY_MS, FEATURE_SPEC, HOUR_MS } from './spec.js';
import { EMPTY_HASHES, type StampedHashes, toOldest } from './stamped-hashes.js';
import type { EngineState } from './state.js';
import type { Tile, Tiles } from './tiles.js';

/** First byte of an encoded state; raised with every change of the layout below. */
export const STATE_FORMAT_VERSION = 1;

const SPEC_PREFIX = Buffer.from(FEATURE_SPEC.hash, 'hex').subarray(0, 8);

/**
 * A state as bytes: version, 8 bytes of the spec's hash, then varints, times as distances from the state's own. Equal
 * states give equal bytes.
 */
export function encodeState(state: EngineState): Buffer {
  const writer = new ByteWriter();
  writer.varint(STATE_FORMAT_VERSION);
  writer.raw(SPEC_PREFIX);
  writer.signed(state.asOfMs);
  writer.varint(state.events);
  writer.varint(state.orders);
  if (state.orders > 0) {
    writer.signed(state.revenueUnits);
    writer.varint(state.asOfMs - state.lastOrderMs);
    writer.varint(state.lastOrderMs - state.firstOrderMs);
  }
  const asOfHour = Math.floor(state.asOfMs / HOUR_MS);
  const asOfDay = Math.floor(state.asOfMs / DAY_MS);
  writeTiles(writer, state.hours, asOfHour);
  writeTiles(writer, state.days, asOfDay);
  writeProducts(writer, state.products, asOfDay);
  writeHashes(writer, state.messages, asOfHour);
  writer.varint(state.messagesDropped);
  return writer.finish();
}

/** The state that `encodeState` wrote. Throws `contract_violation` for another version or spec, and for damaged bytes. */
export function decodeState(bytes: Uint8Array): EngineState {
  const reader = new ByteReader(bytes);
  checkOrigin(reader);
  const asOfMs = reader.signed();
  const events = reader.varint();
  const orders = reader.varint();
  const revenueUnits = orders > 0 ? reader.signed() : 0;
  const lastOrderMs = orders > 0 ? asOfMs - reader.varint() : 0;
  const firstOrderMs = orders > 0 ? lastOrderMs - reader.varint() : 0;
  const asOfHour = Math.floor(asOfMs / HOUR_MS);
  const asOfDay = Math.floor(asOfMs / DAY_MS);
  const hours = readTiles(reader, asOfHour);
  const days = readTiles(reader, asOfDay);
  const products = readProducts(reader, asOfDay);
  const messages = readHashes(reader, asOfHour);
  const messagesDropped = reader.varint();
  reader.finish();
  return {
    asOfMs,
    events,
    orders,
    revenueUnits,
    firstOrderMs,
    lastOrderMs,
    hours,
    days,
    products,
    messages,
    messagesDropped,
  };
}

function checkOrigin(reader: ByteReader): void {
  const version = reader.varint();
  if (version !== STATE_FORMAT_VERSION) {
    throw new AppError(
      'contract_violation',
      `feature state has format ${version}; this build reads format ${STATE_FORMAT_VERSION}: ${version > STATE_FORMAT_VERSION ? 'a newer build wrote it, upgrade this one' : 'rebuild it from the log'}`,
    );
  }
  const prefix = reader.raw(SPEC_PREFIX.length);
  if (!prefix.equals(SPEC_PREFIX)) {
    throw new AppError(
      'contract_violation',
      `feature state was made under spec ${prefix.toString('hex')}..., this build has ${SPEC_PREFIX.toString('hex')}...: rebuild it from the log`,
    );
  }
}

/** Newest first, each index as its distance from the one before; two bits tell whether there were orders and refunds. */
function writeTiles(writer: ByteWriter, tiles: Tiles, newest: number): void {
  writer.varint(tiles.length);
  let last = newest;
  for (const tile of tiles.toReversed()) {
    writer.varint(last - tile.index);
    last = tile.index;
    writer.varint(tile.events * 4 + (tile.orders > 0 ? 2 : 0) + (tile.refunds > 0 ? 1 : 0));
    if (tile.orders > 0) {
      writer.varint(tile.orders);
      writer.signed(tile.revenueUnits);
    }
    if (tile.refunds > 0) {
      writer.varint(tile.refunds);
      writer.varint(tile.refundUnits);
    }
  }
}

function readTiles(reader: ByteReader, newest: number): Tiles {
  const tiles: Tile[] = [];
  let last = newest;
  for (let left = reader.count(2); left > 0; left -= 1) {
    const distance = reader.varint();
    if (distance === 0 && tiles.length > 0) throw damaged('a tile comes twice');
    last -= distance;
    const head = reader.varint();
    const hasOrders = head % 4 >= 2;
    const hasRefunds = head % 2 === 1;
    tiles.push({
      index: last,
      events: Math.floor(head / 4),
      orders: hasOrders ? reader.varint() : 0,
      revenueUnits: hasOrders ? reader.signed() : 0,
      refunds: hasRefunds ? reader.varint() : 0,
      refundUnits: hasRefunds ? reader.varint() : 0,
    });
  }
  return tiles.reverse();
}

function writeProducts(writer: ByteWriter, products: ProductSketch, asOfDay: number): void {
  writer.varint(products.theta === undefined ? 0 : 1);
  if (products.theta !== undefined) {
    writer.uint32(products.theta.high);
    writer.uint32(products.theta.low);
    writer.varint(asOfDay - products.sampledOutDay);
  }
  writeHashes(writer, products.seen, asOfDay);
}

function readProducts(reader: ByteReader, asOfDay: number): ProductSketch {
  const kind = reader.varint();
  if (kind > 1) throw damaged('unknown kind of product sketch');
  const theta = kind === 1 ? { high: reader.uint32(), low: reader.uint32() } : undefined;
  const sampledOutDay = kind === 1 ? asOfDay - reader.varint() : 0;
  return { theta, sampledOutDay, seen: readHashes(reader, asOfDay) };
}

function writeHashes(writer: ByteWriter, table: StampedHashes, newest: number): void {
  const { halves, stamps } = table;
  writer.varint(stamps.length);
  for (let i = 0; i < stamps.length; i += 1) {
    writer.uint32(halves[2 * i] as number);
    writer.uint32(halves[2 * i + 1] as number);
    writer.varint(newest - (stamps[i] as number));
  }
}

function readHashes(reader: ByteReader, newest: number): StampedHashes {
  const count = reader.count(9);
  if (count === 0) return EMPTY_HASHES;
  const halves = new Uint32Array(2 * count);
  const stamps = new Int32Array(count);
  for (let i = 0; i < count; i += 1) {
    halves[2 * i] = reader.uint32();
    halves[2 * i + 1] = reader.uint32();
    stamps[i] = newest - reader.varint();
    if (i > 0 && !isAscending(halves, i)) throw damaged('hashes are out of order');
  }
  return { halves, stamps, oldest: toOldest(stamps) };
}

function isAscending(halves: Uint32Array, index: number): boolean {
  const high = (halves[2 * index] as number) - (halves[2 * index - 2] as number);
  return high > 0 || (high === 0 && (halves[2 * index + 1] as number) > (halves[2 * index - 1] as number));
}
