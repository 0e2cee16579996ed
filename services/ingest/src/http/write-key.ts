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

/** A write key in a body's field. */
export function checkWriteKey(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= WRITE_KEY_CHARS_MAX ? value : undefined;
}
