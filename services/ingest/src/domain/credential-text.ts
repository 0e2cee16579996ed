/**
 * Write keys and tokens as the platform makes them, wherever they stand in a text: in a URL, also in one that
 * another one has as a parameter (`writeKey%3Dpk_...`), a nested property, after an escape of JSON (`\npk_...`).
 */
const CREDENTIAL = /(?:\b|(?<=_|%[0-9A-Fa-f]{2}|\\[bfnrt]|\\u[0-9A-Fa-f]{4}))(pk|pt)_[A-Za-z0-9_-]{40,128}/g;

/** The text with every write key and token replaced by its kind and `[cut]`: what is kept can then be shown to anyone who may see events. */
export function cutCredentials(text: string): string {
  return text.replace(CREDENTIAL, '$1_[cut]');
}
