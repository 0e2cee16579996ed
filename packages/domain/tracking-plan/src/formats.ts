const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const TEXT_CHARS_MAX = 2_048;

/**
 * The formats that a schema may name. Each takes time linear in the text; the pattern-based ones in wide use do not all.
 * `email` is an @ with something on both sides: mail servers decide what an address is.
 */
export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  'date-time': (text) => text.length <= 64 && isDate(DATE_TIME.exec(text)?.[1] ?? ''),
  email: (text) => text.length <= 254 && isAddress(text.split('@')),
  uri: (text) => text.length <= TEXT_CHARS_MAX && URL.canParse(text),
  uuid: (text) => UUID.test(text),
};

function isDate(text: string): boolean {
  if (text.length > 10 || !DATE.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

function isAddress([local = '', domain = '', ...more]: readonly string[]): boolean {
  return more.length === 0 && local !== '' && domain !== '' && !/\s/.test(local + domain);
}
