import { isDay, isTimeOfDay, toWallMs, toWeekday } from './civil.js';
import {
  type DateOrder,
  isNumericDate,
  type Reading,
  readNamedMonth,
  readNumericDate,
  readYearFirst,
} from './forms.js';
import { parseOffset } from './offset.js';
import { parseEpoch, parseEpochMs, parseSerial, type SerialSystem } from './parse-number.js';
import { parseZone } from './parse-zone.js';
import type { TimeProblem } from './time-problem.js';
import { toInstant } from './zone-offset.js';

/** What is declared about texts that do not say it themselves. */
export interface TimeOptions {
  /** Zone (a result of `parseZone`) of texts without one; without it only a date alone is read, as midnight UTC. */
  readonly zone?: string | undefined;
  /** Order of numeric dates such as 12/1/2010; without it they are ambiguous. */
  readonly dateOrder?: DateOrder | undefined;
  /** Numbers are a spreadsheet's serial numbers, in `zone`; without it they are epoch times. */
  readonly serial?: SerialSystem | undefined;
}

/** An instant in ms since the epoch, or what is wrong. */
export type ParsedTime =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly reason: TimeProblem };

/** Longest form: Date.toString with the name of the zone. */
const TEXT_CHARS_MAX = 100;

// `1.7092872E9` is how Java and BigQuery's API print a double. Excel's `1.70929E+09` has lost its last digits.
const NUMBER = /^\d{1,20}(?:\.\d{1,20})?(?:E\d{1,2})?$/;

// `/Date(1709251200000)/`: .NET's JSON. An offset says where it was written, the number is UTC all the same.
const DOT_NET = /^\/Date\((-?\d{1,16})(?:[+-]\d{4})?\)\/$/;

/** Parses a time in one of the forms that clients, databases and exports write (README). Pure; never throws. */
export function parseTime(value: string | number, options: TimeOptions = {}): ParsedTime {
  const result = typeof value === 'number' ? readNumber(value, options) : readText(value.trim(), options);
  return typeof result === 'number' ? { ok: true, ms: result } : { ok: false, reason: result };
}

function readText(text: string, options: TimeOptions): number | TimeProblem {
  if (text === '') return 'empty';
  if (text.length > TEXT_CHARS_MAX) return 'unknown_form';
  const reading = readYearFirst(text) ?? readNamedMonth(text);
  if (reading !== undefined) return toMs(reading, options);
  if (NUMBER.test(text)) return readNumber(Number(text), options);
  if (!isNumericDate(text)) return readDotNet(text);
  if (options.dateOrder === undefined) return 'ambiguous_order';
  const numeric = readNumericDate(text, options.dateOrder);
  return numeric === undefined ? 'unknown_form' : toMs(numeric, options);
}

function readDotNet(text: string): number | TimeProblem {
  const match = DOT_NET.exec(text);
  return match === null ? 'unknown_form' : parseEpochMs(Number(match[1]));
}

function readNumber(value: number, { serial, zone }: TimeOptions): number | TimeProblem {
  if (serial === undefined) return parseEpoch(value);
  const wallMs = parseSerial(value, serial);
  if (typeof wallMs !== 'number') return wallMs;
  return zone === undefined ? 'no_zone' : inZone(wallMs, zone);
}

function toMs(reading: Reading, options: TimeOptions): number | TimeProblem {
  const { civil, weekday } = reading;
  if (!isDay(civil)) return 'no_such_day';
  if (!isTimeOfDay(civil)) return 'no_such_time';
  if (weekday !== undefined && weekday !== toWeekday(civil)) return 'wrong_weekday';
  const wallMs = toWallMs(civil);
  if (reading.zone !== undefined) return inZoneText(wallMs, reading.zone);
  if (options.zone !== undefined) return inZone(wallMs, options.zone);
  return reading.dateOnly ? wallMs : 'no_zone';
}

// `+01:00[Europe/Berlin]`, `Z[UTC]` (RFC 9557, Java), `+0000 UTC` (Go): the offset decides, the name only comments on it.
const OFFSET_AND_NAME = /^(Z|[+\-\u2212][\d:]{1,5})(?: ?\[[A-Za-z][\w+\-/]{1,62}\]| [A-Z]{1,5})$/;
const ZONE = /^ ?(?:\[([A-Za-z][\w+\-/]{1,62})\]|([+\-\u2212]\d.*|[A-Za-z].*))$/;

function inZoneText(wallMs: number, text: string): number | TimeProblem {
  if (text === 'Z' || text === 'z') return wallMs;
  const [, bracketed, plain = ''] = ZONE.exec(text) ?? [];
  const name = bracketed ?? OFFSET_AND_NAME.exec(plain)?.[1] ?? plain;
  if (name === '') return 'unknown_form';
  const offset = parseOffset(name);
  if (offset !== undefined) return wallMs - offset * 60_000;
  const zone = /^(?:Z|UT)$/i.test(name) ? 'UTC' : parseZone(name);
  return zone === undefined ? 'invalid_zone' : inZone(wallMs, zone);
}

function inZone(wallMs: number, zone: string): number | TimeProblem {
  return zone === 'UTC' ? wallMs : (toInstant(wallMs, zone) ?? 'in_gap');
}
