// No three digits: `-540` are more likely the minutes of JavaScript's getTimezoneOffset than 5:40.
const OFFSET = /^([+-])(?:(\d{1,2})(?::(\d{2}))?|(\d{2})(\d{2}))$/;

/** Greatest offset from UTC on earth, and in XML Schema's dateTime. */
const OFFSET_MINUTES_MAX = 14 * 60;

/** Minutes east of UTC for `+09:00`, `+0900`, `+09` or `+9`; undefined for anything else, and beyond 14:00. */
export function parseOffset(text: string): number | undefined {
  // U+2212 is the minus sign that ISO 8601 prefers, and that Intl writes in some locales.
  const match = OFFSET.exec(text.replace('\u2212', '-'));
  if (match === null) return undefined;
  const [, sign] = match;
  const minutes = Number(match[3] ?? match[5] ?? 0);
  const size = Number(match[2] ?? match[4]) * 60 + minutes;
  if (minutes > 59 || size > OFFSET_MINUTES_MAX) return undefined;
  return sign === '-' ? -size : size;
}

/** `+05:30` for 330. */
export function printOffset(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (part: number) => String(part).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
