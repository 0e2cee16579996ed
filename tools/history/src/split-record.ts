/**
 * The fields of one record of RFC 4180, or undefined where a quote is out of place. Blanks between a separator and a
 * quote are left out, as spreadsheets do. It is strict otherwise: what it does not read is reported, and never guessed.
 */
export function splitRecord(text: string, separator: string): string[] | undefined {
  if (!text.includes('"')) return text.split(separator);
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const field = readField(text, at, separator);
    if (field === undefined) return undefined;
    fields.push(field.value);
    if (field.end === text.length) return fields;
    at = field.end + 1;
  }
}

/** The field that begins at `at`; `end` is its separator, or the end of the text. */
function readField(text: string, at: number, separator: string): { value: string; end: number } | undefined {
  const open = separator === ' ' ? at : skipBlanks(text, at, separator);
  if (text[open] === '"') return readQuoted(text, open, separator);
  const next = text.indexOf(separator, at);
  const end = next < 0 ? text.length : next;
  const value = text.slice(at, end);
  return value.includes('"') ? undefined : { value, end };
}

function readQuoted(text: string, open: number, separator: string): { value: string; end: number } | undefined {
  let close = text.indexOf('"', open + 1);
  let isEscaped = false;
  while (close >= 0 && text[close + 1] === '"') {
    isEscaped = true;
    close = text.indexOf('"', close + 2);
  }
  if (close < 0) return undefined;
  const end = separator === ' ' ? close + 1 : skipBlanks(text, close + 1, separator);
  if (end !== text.length && text[end] !== separator) return undefined;
  const value = text.slice(open + 1, close);
  return { value: isEscaped ? value.replaceAll('""', '"') : value, end };
}

function skipBlanks(text: string, from: number, separator: string): number {
  let at = from;
  while ((text[at] === ' ' || text[at] === '\t') && text[at] !== separator) at++;
  return at;
}
