/** PostgreSQL's text allows neither NUL nor lone surrogates, and event names in reasons may contain both. */
export function toStorable(text: string): string {
  return Buffer.from(text).toString().replaceAll('\0', '\uFFFD');
}
