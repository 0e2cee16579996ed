import { assert } from '@perennial/kernel';

/** PostgreSQL silently truncates longer names, so that two names could become the same. */
const IDENTIFIER_BYTES_MAX = 63;

/** A name as a quoted SQL identifier. Not for values: those are parameters. */
export function quoteIdentifier(name: string): string {
  assert(
    name !== '' && Buffer.byteLength(name) <= IDENTIFIER_BYTES_MAX && !name.includes('\0'),
    `${name} is no identifier`,
  );
  return `"${name.replaceAll('"', '""')}"`;
}
