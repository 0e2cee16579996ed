/**
 * Characters that are not shown as themselves: controls (C0, DEL, C1), line separators, what reorders or hides text
 * (bidirectional controls, zero-width and other ignorable characters), lone surrogates, private and unassigned ones. A
 * terminal would obey some of them, and a reader would not see the others.
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

/** Longest value shown in a line, in characters; longer ones are cut and say so. */
export const VALUE_CHARS_MAX = 256;

/** Text with each unprintable character as `\uXXXX`; in JSON text that stands for the same character. */
export function escapeText(text: string): string {
  return text.replaceAll(UNPRINTABLE, toEscape);
}

/** The same for text of several lines: line feeds stay, so the lines must be ours. */
export function escapeLines(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => (character === '\n' ? character : toEscape(character)));
}

/** A value of somebody else's as part of a line: escaped, and cut to `charsMax` characters. */
export function toPrintable(text: string, { charsMax = VALUE_CHARS_MAX }: { charsMax?: number } = {}): string {
  return cutText(text, charsMax, { toSafe: escapeText });
}

/** Text of at most `charsMax` characters, escaped by `toSafe` where it is given; a longer one says how long it is, and `more`. */
export function cutText(
  text: string,
  charsMax: number,
  { toSafe = (kept) => kept, more = '' }: { readonly toSafe?: (kept: string) => string; readonly more?: string } = {},
): string {
  if (text.length <= charsMax) return toSafe(text);
  return `${toSafe(text.slice(0, charsMax))}... (${text.length} characters${more})`;
}

/** JSON that prints nothing unprintable; parsed, it is the same value. */
export function toPrintableJson(value: unknown, indent?: number): string {
  return escapeLines(JSON.stringify(value, null, indent) ?? 'null');
}

function toEscape(character: string): string {
  let escaped = '';
  for (let i = 0; i < character.length; i++) escaped += `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
  return escaped;
}
