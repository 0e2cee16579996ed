import { assert } from '@perennial/kernel';

/** PostgreSQL cuts longer names silently, and two could become one. */
const IDENTIFIER_BYTES_MAX = 63;

/** A name as a quoted SQL identifier; values never go this way, they are parameters. */
export function quoteIdentifier(name: string): string {
  assert(
    name !== '' && Buffer.byteLength(name) <= IDENTIFIER_BYTES_MAX && !name.includes('\0'),
    `${name} is no identifier`,
  );
  return `"${name.replaceAll('"', '""')}"`;
}
