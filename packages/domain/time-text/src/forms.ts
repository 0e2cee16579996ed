import type { Civil } from './civil.js';

/** The order of day (d), month (m) and year (y) in a numeric date such as 12/1/2010. */
export type DateOrder = 'dmy' | 'mdy';

/** What a text says, not checked yet. */
export interface Reading {
  readonly civil: Civil;
  /** Text of the zone; undefined where there is none. */
  readonly zone: string | undefined;
  readonly dateOnly: boolean;
  /** 0 for Sunday, where the text names one. */
  readonly weekday?: number;
}

// Hour, minute, perhaps second and fraction, perhaps AM or PM, then the rest, which is the zone. A word ends after AM or PM:
// `America/New_York` is a zone. Intl writes U+202F before AM.
const CLOCK = /(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?(?:[ \u202f]?([AaPp])\.?[Mm]\b\.?)?(.*)/;

/** A date, alone or with a clock after `gap`: the groups of the date, then those of CLOCK. */
function withClock(date: RegExp, gap: RegExp): RegExp {
  return new RegExp(`${date.source}(?:${gap.source}${CLOCK.source})?$`);
}

// `2024-03-01`, then T or a space. After a space the hour may have one digit: spreadsheets write `2024-03-01 9:05`.
const ISO = withClock(/^(\d{4})-(\d{2})-(\d{2})/, /(?:[Tt ](?=\d\d)| )/);
// `20240301` and `20240301T100000Z`; without the T only with seconds: 12 digits would also be epoch ms.
const ISO_BASIC =
  /^((?:19|20)\d{2})(\d{2})(\d{2})(?:[Tt ]?(\d{2})(\d{2})(\d{2})(?:[.,](\d{1,9}))?(Z|z|[+-]\d{2}(?::?\d{2})?)?)?$/;
const YEAR_FIRST = withClock(/^(\d{4})\/(\d{1,2})\/(\d{1,2})/, / /);
// `Fri, 01 Mar 2024 10:00:00 +0000`: RFC 2822, RFC 1123, and what Date.toUTCString writes.
const MAIL = /^(?:([A-Za-z]{3}), ?)?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? (\S+)$/;
// `Fri Mar 01 2024 10:00:00 GMT+0100 (Central European Standard Time)`: what Date.toString writes.
const SCRIPT =
  /^([A-Za-z]{3}) ([A-Za-z]{3}) (\d{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (GMT[+-]\d{4})(?: \([^()]{1,60}\))?$/;
// `1-Mar-24 9:05 AM`, `01-MAR-2024 10:00:00.5`: Excel and Oracle.
const DASHED = withClock(/^(\d{1,2})-([A-Za-z]{3})-(\d{4}|\d{2})/, / /);
// `Mar 1, 2024`, `March 1, 2024 10:00 AM`: Intl in English.
const WORDED = withClock(/^([A-Za-z]{3,9})\.? (\d{1,2}), (\d{4})/, /,? (?:at )?/);
const NUMERIC = withClock(/^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d{2})/, /,? /);

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTHS_IN_FULL = [
  ...['january', 'february', 'march', 'april', 'may', 'june'],
  ...['july', 'august', 'september', 'october', 'november', 'december'],
];
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Zones that RFC 2822 (4.3) names; it has no others. */
const MAIL_ZONES: Readonly<Record<string, string>> = {
  UT: 'UTC',
  EST: '-0500',
  EDT: '-0400',
  CST: '-0600',
  CDT: '-0500',
  MST: '-0700',
  MDT: '-0600',
  PST: '-0800',
  PDT: '-0700',
};

/** A date with the year first, in ISO 8601's extended form and those of databases, in its basic form, or with slashes. */
export function readYearFirst(text: string): Reading | undefined {
  const match = ISO.exec(text) ?? YEAR_FIRST.exec(text);
  if (match === null) return readBasic(text);
  const [, year, month, day, hour, minute, second, fraction, half, rest = ''] = match;
  const civil = toCivil({ year, month, day, hour, minute, second, fraction });
  return toReading(civil, { hour, half, rest });
}

function readBasic(text: string): Reading | undefined {
  const match = ISO_BASIC.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  return {
    civil: toCivil({ year, month, day, hour, minute, second, fraction }),
    zone,
    dateOnly: hour === undefined,
  };
}

/** A date with the month's name, as mail, HTTP, JavaScript, Excel and people write it. */
export function readNamedMonth(text: string): Reading | undefined {
  const mail = MAIL.exec(text);
  if (mail !== null) {
    const [, weekday, day, month, year, hour, minute, second, zone = ''] = mail;
    const named = Object.hasOwn(MAIL_ZONES, zone.toUpperCase()) ? MAIL_ZONES[zone.toUpperCase()] : zone;
    return toNamed({ year, month, day, hour, minute, second }, { weekday, zone: named });
  }
  const script = SCRIPT.exec(text);
  if (script === null) return readDashed(text) ?? readWorded(text);
  const [, weekday, month, day, year, hour, minute, second, zone] = script;
  return toNamed({ year, month, day, hour, minute, second }, { weekday, zone });
}

function readDashed(text: string): Reading | undefined {
  const match = DASHED.exec(text);
  if (match === null) return undefined;
  const [, day, name = '', year = '', hour, minute, second, fraction, half, rest = ''] = match;
  const month = MONTHS.indexOf(name.toLowerCase()) + 1;
  if (month === 0) return undefined;
  const civil = toCivil({ year: toFullYear(year), month: String(month), day, hour, minute, second, fraction });
  return toReading(civil, { hour, half, rest });
}

function readWorded(text: string): Reading | undefined {
  const match = WORDED.exec(text);
  if (match === null) return undefined;
  const [, name = '', day, year, hour, minute, second, fraction, half, rest = ''] = match;
  const month = toMonth(name.toLowerCase());
  if (month === 0) return undefined;
  const civil = toCivil({ year, month: String(month), day, hour, minute, second, fraction });
  return toReading(civil, { hour, half, rest });
}

/** 1 to 12 for an English name, in full or its first three letters (September: also four); 0 for another word. */
function toMonth(name: string): number {
  const short = MONTHS.indexOf(name === 'sept' ? 'sep' : name);
  return (short === -1 ? MONTHS_IN_FULL.indexOf(name) : short) + 1;
}

/** True for a date such as 12/1/2010 8:26, which does not say whether day or month comes first. */
export function isNumericDate(text: string): boolean {
  return NUMERIC.test(text);
}

/** A numeric date with the day or month first, in a declared order; `yy` is 1970 to 2069, as in POSIX. */
export function readNumericDate(text: string, order: DateOrder): Reading | undefined {
  const match = NUMERIC.exec(text);
  if (match === null) return undefined;
  const [, first, , second, year = '', hour, minute, seconds, fraction, half, rest = ''] = match;
  const [day, month] = order === 'dmy' ? [first, second] : [second, first];
  const civil = toCivil({ year: toFullYear(year), month, day, hour, minute, second: seconds, fraction });
  return toReading(civil, { hour, half, rest });
}

function toFullYear(year: string): string {
  return year.length === 4 ? year : String(Number(year) + (Number(year) < 70 ? 2000 : 1900));
}

/** What the groups of CLOCK make of a date. */
function toReading(
  civil: Civil,
  { hour, half, rest }: { hour: string | undefined; half: string | undefined; rest: string },
): Reading {
  return { civil: toClock(civil, half), zone: rest === '' ? undefined : rest, dateOnly: hour === undefined };
}

/** The time with its hour by a clock of 24 hours, where AM or PM (`half`) is written. */
function toClock(civil: Civil, half: string | undefined): Civil {
  return half === undefined ? civil : { ...civil, hour: toHour(civil.hour, half) };
}

/** 12 AM is 0, 12 PM is 12; 0 and 13 are hours of no such clock, and 24 is none of any. */
function toHour(hour: number, half: string): number {
  if (hour < 1 || hour > 12) return 24;
  return (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
}

type Texts = { readonly [Field in Exclude<keyof Civil, 'millis'> | 'fraction']?: string | undefined };

function toNamed(
  texts: Texts,
  { weekday, zone }: { weekday: string | undefined; zone: string | undefined },
): Reading | undefined {
  const month = MONTHS.indexOf(texts.month?.toLowerCase() ?? '') + 1;
  const day = weekday === undefined ? undefined : WEEKDAYS.indexOf(weekday.toLowerCase());
  if (month === 0 || day === -1) return undefined;
  const civil = toCivil({ ...texts, month: String(month) });
  return { civil, zone, dateOnly: false, ...(day === undefined ? {} : { weekday: day }) };
}

/** A fraction is cut to milliseconds, not rounded: 23:59:59.9999 stays on its day. */
function toCivil({ year, month, day, hour = '0', minute = '0', second = '0', fraction }: Texts): Civil {
  return {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
    millis: fraction === undefined ? 0 : Number(fraction.padEnd(3, '0').slice(0, 3)),
  };
}
