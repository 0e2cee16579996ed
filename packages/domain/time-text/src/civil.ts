const DAY_MS = 86_400_000;

/** A date of the Gregorian calendar and a time of day, without a zone. */
export interface Civil {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millis: number;
}

/** True for a day of the calendar: no month 13, no February 30. */
export function isDay({ year, month, day }: Pick<Civil, 'year' | 'month' | 'day'>): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= toDaysOfMonth(year, month);
}

/** True for a time of day from 00:00 to 23:59:59.999; neither 24:00 nor a leap second. */
export function isTimeOfDay({ hour, minute, second }: Pick<Civil, 'hour' | 'minute' | 'second'>): boolean {
  return hour <= 23 && minute <= 59 && second <= 59;
}

/** Milliseconds since the epoch if the clock on the wall were UTC's. */
export function toWallMs({ year, month, day, hour, minute, second, millis }: Civil): number {
  return toDayNumber(year, month, day) * DAY_MS + hour * 3_600_000 + minute * 60_000 + second * 1000 + millis;
}

/** Day of the week, 0 for Sunday. */
export function toWeekday({ year, month, day }: Pick<Civil, 'year' | 'month' | 'day'>): number {
  return (((toDayNumber(year, month, day) + 4) % 7) + 7) % 7;
}

function toDaysOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Days since 1970-01-01. `Date.UTC` would read the years 0 to 99 as 1900 to 1999 and let days roll over. Algorithm:
 * Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
 */
function toDayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}
