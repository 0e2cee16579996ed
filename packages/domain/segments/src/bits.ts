/**
 * The members among numbered names as bits, the first name being the lowest bit of the first byte; without zero bytes at the
 * end. Names that are not in the list have no bit.
 */
export function toBits(names: Iterable<string>, members: ReadonlySet<string>): Buffer {
  const bytes: number[] = [];
  let number = 0;
  for (const name of names) {
    if (members.has(name)) {
      while (bytes.length <= number >> 3) bytes.push(0);
      bytes[number >> 3] = (bytes[number >> 3] ?? 0) | (1 << (number & 7));
    }
    number += 1;
  }
  return Buffer.from(bytes);
}

/** The names whose bits are set. */
export function fromBits(names: readonly string[], bits: Uint8Array): ReadonlySet<string> {
  return new Set(names.filter((_, number) => ((bits[number >> 3] ?? 0) >> (number & 7)) & 1));
}
