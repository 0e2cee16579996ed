/** Of the byte that begins a field: the bits below its number. */
const WIRE_TYPE_BITS = 3;

/**
 * Number of the field with which a message's bytes begin, 0 for none: for a record of one field out of many, which case it
 * is without decoding it. Right for numbers below 16, which take one byte.
 */
export function toFirstField(value: Buffer | null): number {
  return (value?.[0] ?? 0) >> WIRE_TYPE_BITS;
}
