import { isJsonObject } from '../domain/parse-properties.js';

const WRITE_KEY_CHARS_MAX = 200;

/** The write key in an Authorization header: Basic with the key as user, or Bearer; undefined without one. */
export function parseAuthorization(header: string | undefined): string | undefined {
  const match = /^(Basic|Bearer) +(\S+)$/i.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, scheme = '', credentials = ''] = match;
  if (scheme.toLowerCase() === 'bearer') return checkWriteKey(credentials);
  const [user] = Buffer.from(credentials, 'base64').toString('utf8').split(':', 1);
  return checkWriteKey(user);
}

/** The write key in a query: `writeKey`, as RudderStack's SDK adds it to beacons, which have no headers. */
export function readQueryKey(query: unknown): string | undefined {
  return isJsonObject(query) ? checkWriteKey(query.writeKey) : undefined;
}

/** The write key in a body: `writeKey` (Segment) or `api_key` (PostHog). */
export function readBodyKey(body: unknown): string | undefined {
  return isJsonObject(body) ? (checkWriteKey(body.writeKey) ?? checkWriteKey(body.api_key)) : undefined;
}

/** The write key in a body of PostHog's browser SDK, which may also have it in its first event, or in that one's properties. */
export function readPosthogKey(body: unknown): string | undefined {
  const event = Array.isArray(body) ? body[0] : body;
  if (!isJsonObject(event)) return undefined;
  const own = readBodyKey(event) ?? checkWriteKey(event.token);
  return own ?? (isJsonObject(event.properties) ? checkWriteKey(event.properties.token) : undefined);
}

/** A write key in a body's field. */
function checkWriteKey(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= WRITE_KEY_CHARS_MAX ? value : undefined;
}
