/** Converts a hash between hex and bytes. */
export interface HashCodec {
  toBytes(hex: string): Uint8Array;
  toHex(bytes: Uint8Array): string;
}

/**
 * Caches the last hash: nearly all states of a process name the model in force, and converting it took most of the time
 * of decoding a state.
 */
export function createHashCodec(): HashCodec {
  let last = { hex: '', bytes: Buffer.alloc(0) };
  return {
    toBytes(hex) {
      if (hex !== last.hex) last = { hex, bytes: Buffer.from(hex, 'hex') };
      return last.bytes;
    },
    toHex(bytes) {
      if (!last.bytes.equals(bytes)) {
        const copy = Buffer.from(bytes);
        last = { hex: copy.toString('hex'), bytes: copy };
      }
      return last.hex;
    },
  };
}
