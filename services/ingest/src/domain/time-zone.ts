import { LruCache } from '@perennial/kernel';

// Asking Intl costs some 20 us; there are about 600 names.
const known = new LruCache<string, boolean>({ entriesMax: 1000, sizeMax: 1000 });

const NAME = /^[A-Za-z][A-Za-z0-9_+\-/]{1,63}$/;

/** The IANA time zone's name, or '' for anything that is none: a wrong zone is no reason to refuse an event. */
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
    // A RangeError is how Intl says no.
    return false;
  }
}
