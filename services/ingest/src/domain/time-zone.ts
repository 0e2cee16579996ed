import { parseZone } from '@perennial/time-text';

/** The time zone in one of the forms that clients send, or '' for none: a wrong zone is no reason to reject an event. */
export function parseTimeZone(value: unknown): string {
  return typeof value === 'string' ? (parseZone(value) ?? '') : '';
}
