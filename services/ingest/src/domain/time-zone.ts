import { LruCache } from '@perennial/kernel';

// A call of Intl costs some 20 us; there are about 600 names.
const known = new LruCache<string, boolean>({ entriesMax: 1000, sizeMax: 1000 });

const NAME = /^[A-Za-z][A-Za-z0-9_+\-/]{1,63}$/;

/** The IANA time zone's name, or '' for an invalid one: a wrong zone is no reason to reject an event. */
export function parseTimeZone(value: unknown): string {
  if (typeof value !== 'string' || !NAME.test(value)) return '';
  let valid = known.get(value);
  if (valid === undefined) {
    valid = isTimeZone(value);
    known.set(value, valid);
  }
  return valid ? value : '';
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    // Intl throws a RangeError for an unknown zone.
    return false;
  }
}
