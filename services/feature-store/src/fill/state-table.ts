import type { CompiledFeatures, EngineState } from '@perennial/feature-engine';
import type { PartEntry } from './part-bytes.js';

/** Decoded states kept: those of profiles whose events come close together. */
const DECODED_MAX = 4_096;

/** Keys from `from` on and below `to`; undefined for all above. */
export interface KeyRange {
  readonly from: string;
  readonly to: string | undefined;
}

/**
 * The states of a partition's profiles in the memory of this process, as bytes. When there are too many bytes, it keeps
 * the lower half of the keys: the others take another pass.
 */
export class StateTable {
  readonly #spec: CompiledFeatures;
  readonly #bytesMax: number;
  readonly #encoded = new Map<string, Buffer>();
  readonly #decoded = new Map<string, EngineState>();
  /** Bytes that are kept elsewhere for a key. */
  readonly #further = new Map<string, number>();
  #range: KeyRange;
  #bytes = 0;

  constructor(
    spec: CompiledFeatures,
    {
      range,
      bytesMax,
      entries = [],
    }: { readonly range: KeyRange; readonly bytesMax: number; readonly entries?: readonly PartEntry[] },
  ) {
    this.#spec = spec;
    this.#bytesMax = bytesMax;
    this.#range = range;
    for (const { key, state } of entries) this.#put(key, state);
  }

  get range(): KeyRange {
    return this.#range;
  }

  holds(key: string): boolean {
    return key >= this.#range.from && (this.#range.to === undefined || key < this.#range.to);
  }

  get(key: string): EngineState | undefined {
    const decoded = this.#decoded.get(key);
    if (decoded !== undefined) return decoded;
    const bytes = this.#encoded.get(key);
    return bytes && this.#spec.decode(bytes);
  }

  set(key: string, state: EngineState): void {
    this.#decoded.set(key, state);
    if (this.#decoded.size > DECODED_MAX) this.#encodeAll();
  }

  /** Counts what is kept elsewhere for a key, and dropped with its state, as bytes of the table. */
  countFurther(key: string, bytes: number): void {
    this.#bytes += bytes - (this.#further.get(key) ?? 0);
    this.#further.set(key, bytes);
  }

  /** All states with their ids, in the order of the keys. */
  entries(): PartEntry[] {
    this.#encodeAll();
    return [...this.#encoded]
      .map(([key, state]) => ({ key, state }))
      .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  #encodeAll(): void {
    for (const [key, state] of this.#decoded) this.#put(key, this.#spec.encode(state));
    this.#decoded.clear();
    while (this.#bytes > this.#bytesMax && this.#encoded.size > 1) this.#dropUpperHalf();
  }

  #put(key: string, bytes: Buffer): void {
    this.#bytes += bytes.length - (this.#encoded.get(key)?.length ?? 0);
    this.#encoded.set(key, bytes);
  }

  #dropUpperHalf(): void {
    const keys = [...this.#encoded.keys()].sort();
    const to = keys[Math.ceil(keys.length / 2)];
    this.#range = { from: this.#range.from, to };
    for (const [key, bytes] of this.#encoded) {
      if (this.holds(key)) continue;
      this.#encoded.delete(key);
      this.#bytes -= bytes.length + (this.#further.get(key) ?? 0);
      this.#further.delete(key);
    }
  }
}
