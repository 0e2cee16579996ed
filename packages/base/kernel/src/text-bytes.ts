/** Longest text for which a loop is faster than a call into native code. */
const SHORT_CHARS_MAX = 64;

/** Bytes of a text as UTF-8, as `Buffer.byteLength` counts them. */
export function toTextBytes(text: string): number {
  const { length } = text;
  if (length > SHORT_CHARS_MAX) return Buffer.byteLength(text);
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) > 0x7f) return Buffer.byteLength(text);
  }
  return length;
}
