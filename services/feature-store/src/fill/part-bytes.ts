import { AppError } from '@perennial/kernel';

/** Bytes of states after which a part ends: what one read of a profile costs. */
const PART_BYTES = 65_536;

/** A profile's state in a part. */
export interface PartEntry {
  readonly key: string;
  readonly state: Buffer;
}

/** Cuts entries, which come in the order of their keys, into parts. Where a part ends depends on the entries alone. */
export class PartWriter {
  readonly #write: (first: string, bytes: Buffer) => Promise<void>;
  #entries: PartEntry[] = [];
  #bytes = 0;

  constructor(write: (first: string, bytes: Buffer) => Promise<void>, from: readonly PartEntry[] = []) {
    this.#write = write;
    for (const entry of from) this.#push(entry);
  }

  /** Entries that are in no part yet. */
  get open(): readonly PartEntry[] {
    return this.#entries;
  }

  async add(entry: PartEntry): Promise<void> {
    this.#push(entry);
    if (this.#bytes >= PART_BYTES) await this.finish();
  }

  /** Writes what is in no part yet. */
  async finish(): Promise<void> {
    const [first] = this.#entries;
    if (first === undefined) return;
    await this.#write(first.key, encodePart(this.#entries));
    this.#entries = [];
    this.#bytes = 0;
  }

  #push(entry: PartEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.state.length;
  }
}

/** Each entry: length of the key (2 bytes), of the state (4), key, state. */
export function encodePart(entries: readonly PartEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ key, state }) => {
      const name = Buffer.from(key);
      const head = Buffer.allocUnsafe(6);
      head.writeUInt16BE(name.length, 0);
      head.writeUInt32BE(state.length, 2);
      return [head, name, state];
    }),
  );
}

/** States by key. Throws `data_damaged`. */
export function decodePart(bytes: Buffer): Map<string, Buffer> {
  const states = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    if (at + 6 > bytes.length) throw new AppError('data_damaged', 'a part of a fill ends early');
    const keyEnd = at + 6 + bytes.readUInt16BE(at);
    const end = keyEnd + bytes.readUInt32BE(at + 2);
    if (end > bytes.length) throw new AppError('data_damaged', 'a part of a fill ends early');
    states.set(bytes.toString('utf8', at + 6, keyEnd), bytes.subarray(keyEnd, end));
    at = end;
  }
  return states;
}
