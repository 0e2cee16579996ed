import { damaged } from '../bytes.js';
import type { RowKind } from './tiled-rows.js';

/** The least and the greatest amount, in units. */
export interface Extremes {
  readonly least: number;
  readonly greatest: number;
}

/** Gives [least, greatest]. */
export const EXTREMES: RowKind<Extremes> = {
  name: 'extremes',
  toRow: (units) => ({ least: units, greatest: units }),
  unite: (a, b) => ({ least: Math.min(a.least, b.least), greatest: Math.max(a.greatest, b.greatest) }),
  isInside: ({ least, greatest }, units) => least < units && units < greatest,
  toNumbers: ({ least, greatest }) => [least, greatest],
  none: [Number.NaN, Number.NaN],
  write(writer, { least, greatest }) {
    writer.signed(least);
    writer.varint(greatest - least);
  },
  read(reader) {
    const least = reader.signed();
    const greatest = least + reader.varint();
    if (!Number.isSafeInteger(least) || !Number.isSafeInteger(greatest)) throw damaged('an amount is too large');
    return { least, greatest };
  },
};

/** An amount in units with the time of its event. */
interface TimedAmount {
  readonly timeMs: number;
  readonly units: number;
}

/** The amounts of the first and of the last event that has one. */
export interface Ends {
  readonly first: TimedAmount;
  readonly last: TimedAmount;
}

/** Gives [first, last]. Among equal times the first is the least amount and the last the greatest. */
export const ENDS: RowKind<Ends> = {
  name: 'ends',
  toRow(units, timeMs) {
    const only = { timeMs, units };
    return { first: only, last: only };
  },
  unite: (a, b) => ({
    first: compare(a.first, b.first) <= 0 ? a.first : b.first,
    last: compare(a.last, b.last) >= 0 ? a.last : b.last,
  }),
  isInside({ first, last }, units, timeMs) {
    const only = { timeMs, units };
    return compare(first, only) < 0 && compare(only, last) < 0;
  },
  toNumbers: ({ first, last }) => [first.units, last.units],
  none: [Number.NaN, Number.NaN],
  write(writer, { first, last }, asOfMs) {
    writer.varint(asOfMs - last.timeMs);
    writer.varint(last.timeMs - first.timeMs);
    writer.signed(first.units);
    writer.signed(last.units);
  },
  read(reader, asOfMs) {
    const lastMs = asOfMs - reader.varint();
    const firstMs = lastMs - reader.varint();
    const first = { timeMs: firstMs, units: reader.signed() };
    const last = { timeMs: lastMs, units: reader.signed() };
    for (const number of [firstMs, lastMs, first.units, last.units]) {
      if (!Number.isSafeInteger(number)) throw damaged('a number is too large');
    }
    return { first, last };
  },
};

function compare(a: TimedAmount, b: TimedAmount): number {
  return a.timeMs - b.timeMs || a.units - b.units;
}
