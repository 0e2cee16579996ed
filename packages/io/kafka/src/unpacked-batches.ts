import { RECORD_LIMITS } from './record-limits.js';

/**
 * Batches without their compression of which a fetch took a part: the next fetch goes on in them, instead of unpacking all
 * of it for each part. The least recently used ones go first.
 */
export class UnpackedBatches {
  readonly #kept = new Map<string, Buffer>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor({ bytesMax }: { readonly bytesMax: number } = { bytesMax: RECORD_LIMITS.keptBytesMax }) {
    this.#bytesMax = bytesMax;
  }

  /** In memory. */
  get bytes(): number {
    return this.#bytes;
  }

  get(batch: string): Buffer | undefined {
    return this.#kept.get(batch);
  }

  /** The batch is not finished. */
  keep(batch: string, unpacked: Buffer): void {
    this.drop(batch);
    const bytes = toHeldBytes(unpacked);
    if (bytes > this.#bytesMax) return;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes + bytes <= this.#bytesMax) break;
      this.drop(oldest);
    }
    this.#kept.set(batch, unpacked);
    this.#bytes += bytes;
  }

  /** The batch is finished. */
  drop(batch: string): void {
    const unpacked = this.#kept.get(batch);
    if (unpacked !== undefined) this.#bytes -= toHeldBytes(unpacked);
    this.#kept.delete(batch);
  }
}

/** What stays in memory: LZ4 is unpacked into a buffer that grows, of which the batch may be the half. */
function toHeldBytes({ buffer }: Buffer): number {
  return buffer.byteLength;
}
