/** A 64-bit hash as two unsigned halves (BigInt would cost an allocation per comparison). */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/**
 * A 64-bit hash of a string's UTF-16 code units: the block mixing and finalisation of MurmurHash3 x86_128, kept to two
 * lanes. It is uniform (the distinct sketch relies on that) but not keyed: who constructs collisions can only hide
 * their own events.
 */
export function toHash64(text: string): Hash64 {
  let a = 0x9368e53c;
  let b = 0x586dcd20;
  const length = text.length;
  for (let i = 0; i < length; i += 2) {
    // An odd end reads NaN, which the shift turns into 0; the length mixed in below distinguishes it from a NUL.
    const block = text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16);
    a ^= Math.imul(rotateLeft(Math.imul(block, 0x239b961b), 15), 0xab0e9789);
    a = (Math.imul(rotateLeft(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b ^= Math.imul(rotateLeft(Math.imul(block, 0x38b34ae5), 17), 0xa1e38b93);
    b = (Math.imul(rotateLeft(b, 13) + a, 5) + 0x0bcaa747) | 0;
  }
  a ^= length;
  b ^= length;
  a = (a + b) | 0;
  b = (b + a) | 0;
  a = finalise(a);
  b = finalise(b);
  a = (a + b) | 0;
  b = (b + a) | 0;
  return { high: a >>> 0, low: b >>> 0 };
}

/** The hash as 16 hex digits. */
export function toHashDigits(text: string): string {
  const { high, low } = toHash64(text);
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function finalise(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
