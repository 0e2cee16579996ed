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

  get bytes(): number {
    return this.#bytes;
  }

  get(batch: string): Buffer | undefined {
    return this.#kept.get(batch);
  }

  /** The batch is not finished. */
  keep(batch: string, unpacked: Buffer): void {
    this.drop(batch);
    if (unpacked.length > this.#bytesMax) return;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes + unpacked.length <= this.#bytesMax) break;
      this.drop(oldest);
    }
    this.#kept.set(batch, unpacked);
    this.#bytes += unpacked.length;
  }

  /** The batch is finished. */
  drop(batch: string): void {
    this.#bytes -= this.#kept.get(batch)?.length ?? 0;
    this.#kept.delete(batch);
  }
}
