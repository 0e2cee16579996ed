import { must } from '@perennial/kernel';
import type { Accumulator } from './accumulators/accumulator.js';
import { createDistinct } from './accumulators/distinct.js';
import { createTiles } from './accumulators/tiles.js';
import { createTimes } from './accumulators/times.js';
import { createTotals } from './accumulators/totals.js';
import { type FeatureDefinition, MONEY_UNIT } from './definition.js';
import type { Place } from './place.js';
import { createAmountStream, createCountStream, createIdStream, type IdStream, type NumberStream } from './streams.js';
import { toTileMs } from './time.js';

type Numeric = Extract<FeatureDefinition, { aggregation: 'count' | 'sum' }>;
type Timed = Extract<FeatureDefinition, { aggregation: 'days_since_first' | 'days_since_last' | 'gap_mean' }>;
type Distinct = Extract<FeatureDefinition, { aggregation: 'distinct' }>;

interface Column {
  readonly index: number;
  readonly key: string;
}

/** What features need of the tiles of one length: streams, and the streams needed per window. */
interface TilesNeed {
  readonly streams: Column[];
  readonly windows: Map<number, Set<string>>;
}

interface DistinctNeed {
  readonly stream: IdStream;
  readonly index: number;
  readonly windowsMs: Set<number>;
}

/** Collects what definitions need, creates each accumulator once, and gives the location of each number. */
export class SlotPlanner {
  readonly #numbers = new Map<string, NumberStream>();
  readonly #ids = new Map<string, IdStream>();
  readonly #totals: Column[] = [];
  readonly #times = new Map<string, Column>();
  readonly #tiles = new Map<number, TilesNeed>();
  readonly #distinct = new Map<string, DistinctNeed>();
  /** Slot of each accumulator by what it was needed for, once they are created. */
  readonly #slots = new Map<string, number>();

  need(definition: FeatureDefinition): void {
    switch (definition.aggregation) {
      case 'count':
      case 'sum':
        this.#needNumber(definition);
        break;
      case 'distinct':
        this.#needDistinct(definition);
        break;
      case 'gap_mean':
        addColumn(this.#totals, this.#toColumn(createCountStream(definition.event)));
        this.#needTimes(definition);
        break;
      default:
        this.#needTimes(definition);
    }
  }

  /** Totals, times, tiles from the shortest, sketches; column order does not depend on the order of features. */
  finish(): { numbers: NumberStream[]; ids: IdStream[]; slots: Accumulator[] } {
    const slots: Accumulator[] = [];
    this.#totals.sort(byFrequency);
    for (const { streams } of this.#tiles.values()) streams.sort(byFrequency);
    const add = (need: string, accumulator: Accumulator) => this.#slots.set(need, slots.push(accumulator) - 1);
    if (this.#totals.length > 0) add('totals', createTotals(this.#totals) as Accumulator);
    for (const [key, { index }] of this.#times) {
      add(`times/${key}`, createTimes(must(this.#numbers.get(key), 'a stream'), index) as Accumulator);
    }
    for (const [tileMs, { streams, windows }] of sortByKey(this.#tiles)) {
      const asked = sortByKey(windows).map(([windowMs, keys]) => ({
        windowMs,
        columns: streams.flatMap(({ key }, column) => (keys.has(key) ? [column] : [])),
      }));
      add(`tiles/${tileMs}`, createTiles({ streams, windows: asked, tileMs }) as Accumulator);
    }
    for (const [need, { stream, index, windowsMs }] of this.#distinct) {
      const sorted = [...windowsMs].sort((a, b) => a - b);
      const tileMs = toTileMs(sorted[0] as number);
      add(need, createDistinct({ stream, index, windowsMs: sorted, tileMs }) as Accumulator);
    }
    return { numbers: [...this.#numbers.values()], ids: [...this.#ids.values()], slots };
  }

  /** Location of the number of a count, sum or distinct count. */
  find(definition: Numeric | Distinct): Place {
    if (definition.aggregation === 'distinct') return this.#findDistinct(definition);
    const { key } = toNumberStream(definition);
    const { windowMs } = definition;
    if (windowMs === undefined) return this.#findTotal(key);
    const tileMs = toTileMs(windowMs);
    const { streams, windows } = must(this.#tiles.get(tileMs), 'tiles of that length');
    const window = sortByKey(windows).findIndex(([known]) => known === windowMs);
    const column = streams.findIndex((stream) => stream.key === key);
    return { slot: this.#slotOf(`tiles/${tileMs}`), index: window * streams.length + column };
  }

  /** Location of the times of a feature's events, and of their count where one is kept. */
  findTimes({ event }: Timed): { first: Place; last: Place; count: Place } {
    const { key } = createCountStream(event);
    const slot = this.#slotOf(`times/${key}`);
    return { first: { slot, index: 0 }, last: { slot, index: 1 }, count: this.#findTotal(key) };
  }

  #needNumber(definition: Numeric): void {
    const column = this.#toColumn(toNumberStream(definition));
    const { windowMs } = definition;
    if (windowMs === undefined) {
      addColumn(this.#totals, column);
      return;
    }
    const tileMs = toTileMs(windowMs);
    const tiles = this.#tiles.get(tileMs) ?? { streams: [], windows: new Map() };
    this.#tiles.set(tileMs, tiles);
    addColumn(tiles.streams, column);
    tiles.windows.set(windowMs, (tiles.windows.get(windowMs) ?? new Set()).add(column.key));
  }

  #needTimes({ event }: Timed): void {
    const column = this.#toColumn(createCountStream(event));
    this.#times.set(column.key, column);
  }

  #needDistinct({ event, measure, windowMs }: Distinct): void {
    const stream = createIdStream(event, measure);
    const index = this.#ids.has(stream.key) ? [...this.#ids.keys()].indexOf(stream.key) : this.#ids.size;
    this.#ids.set(stream.key, this.#ids.get(stream.key) ?? stream);
    const need = toDistinctNeed(stream.key, windowMs);
    const known = this.#distinct.get(need) ?? { stream, index, windowsMs: new Set() };
    this.#distinct.set(need, known);
    known.windowsMs.add(windowMs);
  }

  #findDistinct({ event, measure, windowMs }: Distinct): Place {
    const need = toDistinctNeed(createIdStream(event, measure).key, windowMs);
    const windows = [...must(this.#distinct.get(need), 'a sketch').windowsMs].sort((a, b) => a - b);
    return { slot: this.#slotOf(need), index: windows.indexOf(windowMs) };
  }

  /** -1 for a stream without a total: nothing reads it then. */
  #findTotal(key: string): Place {
    return { slot: this.#slots.get('totals') ?? -1, index: this.#totals.findIndex((column) => column.key === key) };
  }

  #slotOf(need: string): number {
    return must(this.#slots.get(need), 'the slot of an accumulator');
  }

  #toColumn(stream: NumberStream): Column {
    if (!this.#numbers.has(stream.key)) this.#numbers.set(stream.key, stream);
    return { key: stream.key, index: [...this.#numbers.keys()].indexOf(stream.key) };
  }
}

function toNumberStream(definition: Numeric): NumberStream {
  return definition.aggregation === 'count'
    ? createCountStream(definition.event)
    : createAmountStream(definition.event, definition.measure, { isMoney: definition.unit === MONEY_UNIT });
}

function toDistinctNeed(streamKey: string, windowMs: number): string {
  return `distinct/${toTileMs(windowMs)}/${streamKey}`;
}

function addColumn(columns: Column[], column: Column): void {
  if (!columns.some(({ key }) => key === column.key)) columns.push(column);
}

/** The shortest keys have the fewest conditions, so their streams see most events; first columns take less space. */
function byFrequency(a: Column, b: Column): number {
  return a.key.length - b.key.length || (a.key < b.key ? -1 : 1);
}

function sortByKey<V>(map: ReadonlyMap<number, V>): Array<[number, V]> {
  return [...map].sort(([a], [b]) => a - b);
}
