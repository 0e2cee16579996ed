import { must } from '@perennial/kernel';
import type { Accumulator } from './accumulators/accumulator.js';
import { createDays } from './accumulators/days.js';
import { createDecays } from './accumulators/decays.js';
import { createDistinct } from './accumulators/distinct.js';
import { createLocalDays } from './accumulators/local-days.js';
import { createRecentTimes } from './accumulators/recent-times.js';
import { ENDS, EXTREMES } from './accumulators/row-kinds.js';
import { createSessions } from './accumulators/sessions.js';
import { createTiledRows } from './accumulators/tiled-rows.js';
import { createTiles } from './accumulators/tiles.js';
import { createTimes } from './accumulators/times.js';
import { createTops } from './accumulators/tops.js';
import { createTotals } from './accumulators/totals.js';
import { type FeatureDefinition, isLocal, type SessionsDefinition, type TopsDefinition } from './definition.js';
import { type NumberNeed, toNumberNeeds } from './number-needs.js';
import type { Place } from './place.js';
import {
  type ActiveDays,
  addColumn,
  byFrequency,
  type Column,
  type DaysNeed,
  type Distinct,
  findMeasure,
  findWindow,
  type GapsNeed,
  isEnds,
  LIFE_MS,
  type OfGaps,
  type RowDefinition,
  type RowsNeed,
  type SessionsNeed,
  type Streak,
  type StreamNeed,
  sortByKey,
  sortWindows,
  type TilesNeed,
  type Timed,
  toDaysNeed,
  toGapMeasure,
  toIdsNeed,
  toRowsNeed,
  toSessionsNeed,
} from './slot-needs.js';
import { createAmountStreams, createCountStream, createIdStream, type IdStream, type NumberStream } from './streams.js';
import { toTileMs } from './time.js';

/** Collects what definitions need, creates each accumulator once, and gives the location of each number. */
export class SlotPlanner {
  readonly #numbers = new Map<string, NumberStream>();
  readonly #ids = new Map<string, IdStream>();
  readonly #totals: Column[] = [];
  readonly #times = new Map<string, Column>();
  readonly #tiles = new Map<number, TilesNeed>();
  readonly #distinct = new Map<string, StreamNeed<IdStream>>();
  readonly #tops = new Map<string, StreamNeed<IdStream>>();
  readonly #sessions = new Map<string, SessionsNeed>();
  readonly #days = new Map<string, DaysNeed>();
  readonly #rows = new Map<string, RowsNeed>();
  readonly #recent = new Map<string, GapsNeed>();
  /** By half-life. */
  readonly #decays = new Map<number, Column[]>();
  /** Slot of each accumulator by what it was needed for, once they are created. */
  readonly #slots = new Map<string, number>();

  need(definition: FeatureDefinition): void {
    for (const need of toNumberNeeds(definition)) this.#needNumber(need);
    switch (definition.aggregation) {
      case 'min':
      case 'max':
      case 'first':
      case 'last':
        this.#needRow(definition);
        break;
      case 'gap_std':
      case 'gap_quantile':
      case 'regularity':
        this.#needGaps(definition);
        break;
      case 'distinct':
        this.#needDistinct(definition);
        break;
      case 'sessions_count':
      case 'session_length_mean':
        this.#needSessions(definition);
        break;
      case 'top_count':
      case 'top_share':
      case 'entropy':
        this.#needTops(definition);
        break;
      case 'active_days':
      case 'streak':
      case 'longest_streak':
        this.#needDays(definition);
        break;
      case 'days_since_first':
      case 'days_since_last':
      case 'gap_mean':
        this.#needTimes(definition);
    }
  }

  /** Totals, times, tiles from the shortest, sketches, days, amounts, recent times; column order does not depend on the order of features. */
  finish(): { numbers: NumberStream[]; ids: IdStream[]; slots: Accumulator[] } {
    const slots: Accumulator[] = [];
    this.#totals.sort(byFrequency);
    for (const { streams } of this.#tiles.values()) streams.sort(byFrequency);
    for (const streams of this.#decays.values()) streams.sort(byFrequency);
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
      const sorted = sortWindows(windowsMs);
      const tileMs = toTileMs(sorted[0] as number);
      add(need, createDistinct({ stream, index, windowsMs: sorted, tileMs }) as Accumulator);
    }
    for (const [key, need] of this.#days) {
      const options = { ...need, windowsMs: sortWindows(need.windowsMs) };
      add(key, (need.isLocal ? createLocalDays(options) : createDays(options)) as Accumulator);
    }
    for (const [need, { options, isEnds, windowsMs }] of this.#rows) {
      const all = { ...options, windowsMs: sortWindows(windowsMs) };
      add(need, (isEnds ? createTiledRows(ENDS, all) : createTiledRows(EXTREMES, all)) as Accumulator);
    }
    for (const [key, need] of this.#recent) add(`recent/${key}`, createRecentTimes(need) as Accumulator);
    for (const [halfLifeMs, streams] of sortByKey(this.#decays)) {
      add(`decay/${halfLifeMs}`, createDecays({ streams, halfLifeMs }) as Accumulator);
    }
    for (const [need, { stream, index, windowsMs }] of this.#tops) {
      const sorted = sortWindows(windowsMs);
      const tileMs = toTileMs(sorted[0] as number);
      add(need, createTops({ stream, index, windowsMs: sorted, tileMs }) as Accumulator);
    }
    for (const [key, need] of this.#sessions) {
      add(key, createSessions({ ...need, windowsMs: sortWindows(need.windowsMs) }) as Accumulator);
    }
    return { numbers: [...this.#numbers.values()], ids: [...this.#ids.values()], slots };
  }

  /** Locations of the sums that a feature is computed from, in the order of `toNumberNeeds`. */
  findNumbers(definition: FeatureDefinition): readonly Place[] {
    return toNumberNeeds(definition).map((need) => this.#findNumber(need));
  }

  /** Location of a distinct count. */
  findDistinct({ event, measure, windowMs = LIFE_MS }: Distinct): Place {
    const need = toIdsNeed('distinct', createIdStream(event, measure).key, windowMs);
    return { slot: this.#slotOf(need), index: findWindow(this.#distinct.get(need), windowMs) };
  }

  /** Slot of the frequencies of ids, and the window's place in it. */
  findTops({ event, measure, windowMs = LIFE_MS }: TopsDefinition): { slot: number; window: number } {
    const need = toIdsNeed('tops', createIdStream(event, measure).key, windowMs);
    return { slot: this.#slotOf(need), window: findWindow(this.#tops.get(need), windowMs) };
  }

  /** Location of a number of days with an event. */
  findDays(definition: ActiveDays): Place {
    const key = toDaysNeed(definition);
    return { slot: this.#slotOf(key), index: findWindow(this.#days.get(key), definition.windowMs ?? LIFE_MS) };
  }

  /** Location of a number of consecutive days: behind the counts of all windows. */
  findStreak(definition: Streak): Place {
    const { aggregation, windowMs = LIFE_MS } = definition;
    const key = toDaysNeed(definition);
    const need = must(this.#days.get(key), 'the days of a stream');
    const index = need.windowsMs.size + 2 * findWindow(need, windowMs) + (aggregation === 'longest_streak' ? 1 : 0);
    return { slot: this.#slotOf(key), index };
  }

  /** Locations of the number of sessions and of their length. */
  findSessions(definition: SessionsDefinition): { sessions: Place; lengthMs: Place } {
    const need = toSessionsNeed(definition);
    const slot = this.#slotOf(need);
    const index = 2 * findWindow(this.#sessions.get(need), definition.windowMs);
    return { sessions: { slot, index }, lengthMs: { slot, index: index + 1 } };
  }

  /** Location of a least, greatest, first or last amount. */
  findRow(definition: RowDefinition): Place {
    const need = toRowsNeed(definition);
    const { aggregation, windowMs = LIFE_MS } = definition;
    const isSecond = aggregation === 'max' || aggregation === 'last';
    return { slot: this.#slotOf(need), index: 2 * findWindow(this.#rows.get(need), windowMs) + (isSecond ? 1 : 0) };
  }

  /** Location of what is computed from gaps. */
  findGaps(definition: OfGaps): Place {
    const { key } = createCountStream(definition.event);
    const { measures } = must(this.#recent.get(key), 'what the gaps of a stream are needed for');
    return { slot: this.#slotOf(`recent/${key}`), index: findMeasure(measures, toGapMeasure(definition)) };
  }

  /** Location of the times of a feature's events. */
  findTimes({ event }: Timed): { first: Place; last: Place } {
    const slot = this.#slotOf(`times/${createCountStream(event).key}`);
    return { first: { slot, index: 0 }, last: { slot, index: 1 } };
  }

  #needNumber({ stream, window }: NumberNeed): void {
    const column = this.#toColumn(stream);
    if (window === undefined) {
      addColumn(this.#totals, column);
      return;
    }
    if ('halfLifeMs' in window) {
      const { halfLifeMs } = window;
      const decays = this.#decays.get(halfLifeMs) ?? [];
      this.#decays.set(halfLifeMs, decays);
      addColumn(decays, column);
      return;
    }
    const { windowMs, tileMs } = window;
    const tiles = this.#tiles.get(tileMs) ?? { streams: [], windows: new Map() };
    this.#tiles.set(tileMs, tiles);
    addColumn(tiles.streams, column);
    tiles.windows.set(windowMs, (tiles.windows.get(windowMs) ?? new Set()).add(column.key));
  }

  #findNumber({ stream: { key }, window }: NumberNeed): Place {
    const isColumn = (column: Column) => column.key === key;
    if (window === undefined) return { slot: this.#slotOf('totals'), index: this.#totals.findIndex(isColumn) };
    if ('halfLifeMs' in window) {
      const decays = must(this.#decays.get(window.halfLifeMs), 'decays of that half-life');
      return { slot: this.#slotOf(`decay/${window.halfLifeMs}`), index: decays.findIndex(isColumn) };
    }
    const { streams, windows } = must(this.#tiles.get(window.tileMs), 'tiles of that length');
    const row = sortByKey(windows).findIndex(([known]) => known === window.windowMs);
    return {
      slot: this.#slotOf(`tiles/${window.tileMs}`),
      index: row * streams.length + streams.findIndex(isColumn),
    };
  }

  #needTimes({ event }: Timed): void {
    const column = this.#toColumn(createCountStream(event));
    this.#times.set(column.key, column);
  }

  #needGaps(definition: OfGaps): void {
    const stream = createCountStream(definition.event);
    const need = this.#recent.get(stream.key) ?? { stream, index: this.#toColumn(stream).index, measures: [] };
    this.#recent.set(stream.key, need);
    const measure = toGapMeasure(definition);
    if (findMeasure(need.measures, measure) < 0) need.measures.push(measure);
  }

  #needDistinct({ event, measure, windowMs = LIFE_MS }: Distinct): void {
    const stream = createIdStream(event, measure);
    this.#needIds(this.#distinct, toIdsNeed('distinct', stream.key, windowMs), { stream, windowMs });
  }

  #needTops({ event, measure, windowMs = LIFE_MS }: TopsDefinition): void {
    const stream = createIdStream(event, measure);
    this.#needIds(this.#tops, toIdsNeed('tops', stream.key, windowMs), { stream, windowMs });
  }

  #needIds(
    needs: Map<string, StreamNeed<IdStream>>,
    key: string,
    { stream, windowMs }: { readonly stream: IdStream; readonly windowMs: number },
  ): void {
    if (!this.#ids.has(stream.key)) this.#ids.set(stream.key, stream);
    const index = [...this.#ids.keys()].indexOf(stream.key);
    const need = needs.get(key) ?? { stream, index, windowsMs: new Set() };
    needs.set(key, need);
    need.windowsMs.add(windowMs);
  }

  #needDays(definition: ActiveDays | Streak): void {
    const { event, aggregation, windowMs = LIFE_MS } = definition;
    const stream = createCountStream(event);
    const { index } = this.#toColumn(stream);
    const key = toDaysNeed(definition);
    const fresh = { stream, index, windowsMs: new Set<number>(), hasStreaks: false, isLocal: isLocal(definition) };
    const need: DaysNeed = this.#days.get(key) ?? fresh;
    this.#days.set(key, need);
    need.windowsMs.add(windowMs);
    if (aggregation !== 'active_days') need.hasStreaks = true;
  }

  #needSessions(definition: SessionsDefinition): void {
    const { event, gapMs, windowMs } = definition;
    const stream = createCountStream(event);
    const { index } = this.#toColumn(stream);
    const key = toSessionsNeed(definition);
    const fresh = { stream, index, tileMs: toTileMs(windowMs), gapMs, windowsMs: new Set<number>() };
    const need = this.#sessions.get(key) ?? fresh;
    this.#sessions.set(key, need);
    need.windowsMs.add(windowMs);
  }

  #needRow(definition: RowDefinition): void {
    const { sum, known } = createAmountStreams(definition);
    const { windowMs = LIFE_MS } = definition;
    const need = toRowsNeed(definition);
    const [amount, has] = [this.#toColumn(sum), this.#toColumn(known)];
    const options = { key: sum.key, amount: amount.index, known: has.index, tileMs: toTileMs(windowMs) };
    const rows = this.#rows.get(need) ?? { options, isEnds: isEnds(definition), windowsMs: new Set() };
    this.#rows.set(need, rows);
    rows.windowsMs.add(windowMs);
  }

  #slotOf(need: string): number {
    return must(this.#slots.get(need), 'the slot of an accumulator');
  }

  #toColumn(stream: NumberStream): Column {
    if (!this.#numbers.has(stream.key)) this.#numbers.set(stream.key, stream);
    return { key: stream.key, index: [...this.#numbers.keys()].indexOf(stream.key) };
  }
}
