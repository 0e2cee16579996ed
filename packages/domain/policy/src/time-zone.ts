import { LruCache } from '@perennial/kernel';

/** Formatters are costly to create (about 50 us) and to keep, and clients may send any zone name. */
const FORMATTERS_MAX = 256;
const NAME_LENGTH_MAX = 64;

/** Cache of a pure function; null for names that are no zone. */
const formatters = new LruCache<string, Intl.DateTimeFormat | null>({
  entriesMax: FORMATTERS_MAX,
  sizeMax: FORMATTERS_MAX,
});

/** True for an IANA name (or UTC offset) that this runtime knows. */
export function isTimeZone(name: string): boolean {
  return toFormatter(name) !== null;
}

/** Minutes since local midnight at an instant, in [0, 1440); `timeZone` must be a zone. */
export function toLocalMinutes(timeZone: string, atMs: number): number {
  const formatter = toFormatter(timeZone);
  if (formatter === null) throw new RangeError(`${timeZone} is not a time zone`);
  let hours = 0;
  let minutes = 0;
  for (const { type, value } of formatter.formatToParts(atMs)) {
    if (type === 'hour') hours = Number(value);
    else if (type === 'minute') minutes = Number(value);
  }
  return hours * 60 + minutes;
}

function toFormatter(name: string): Intl.DateTimeFormat | null {
  if (name === '' || name.length > NAME_LENGTH_MAX) return null;
  const known = formatters.get(name);
  if (known !== undefined) return known;
  const made = createFormatter(name);
  formatters.set(name, made);
  return made;
}

function createFormatter(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  } catch {
    // Intl throws a RangeError for an unknown zone.
    return null;
  }
}
