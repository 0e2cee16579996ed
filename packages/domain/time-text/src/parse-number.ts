import type { TimeProblem } from './time-problem.js';

/** The epoch's seconds from 1973-03-03 to 2100-01-01. So no number is in range in two units. */
const SECONDS_MIN = 100_000_000;
const SECONDS_MAX = 4_102_444_800;

/** Units of a second. */
const UNITS = [1, 1_000, 1_000_000, 1_000_000_000];

const DAY_MS = 86_400_000;

/** Serial numbers of the days 1954-10-03 to 2119-01-09 in the system of 1900: what a mistaken number most likely is. */
const SERIAL_LIKELY = { min: 20_000, max: 80_000 };

/** Which day a spreadsheet counts from: Excel's default is 1900, old files of the Macintosh have 1904. */
export type SerialSystem = '1900' | '1904';

/** Ms of an epoch time in seconds, ms, microseconds or nanoseconds, distinguished by magnitude; cut to whole ms. */
export function parseEpoch(value: number): number | TimeProblem {
  for (const unit of UNITS) {
    const seconds = value / unit;
    if (seconds >= SECONDS_MIN && seconds < SECONDS_MAX) return toMs(value, unit);
  }
  return value >= SERIAL_LIKELY.min && value < SERIAL_LIKELY.max ? 'spreadsheet_serial' : 'number_out_of_range';
}

/** The same for a number that is declared to be milliseconds. */
export function parseEpochMs(value: number): number | TimeProblem {
  return value >= SECONDS_MIN * 1000 && value < SECONDS_MAX * 1000 ? value : 'number_out_of_range';
}

function toMs(value: number, unit: number): number {
  if (unit >= 1000) return Math.floor(value / (unit / 1000));
  // 1709287200.123 times 1000 is 1709287200122.9998: rounded to microseconds first, then cut.
  return Math.floor(Math.round(value * 1e6) / 1000);
}

/** Wall-clock ms of a spreadsheet's serial number, rounded to ms; Excel's day 60 does not exist, so 61 is the first. */
export function parseSerial(value: number, system: SerialSystem): number | TimeProblem {
  const days = system === '1904' ? value + 1462 : value;
  if (!(days >= 61 && days < 100_000)) return 'number_out_of_range';
  return Math.round((days - 25_569) * DAY_MS);
}
