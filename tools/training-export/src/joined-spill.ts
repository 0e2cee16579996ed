import { closeSync, createReadStream, existsSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CompiledFeatures, EngineState, OrderChange } from '@perennial/feature-engine';
import { AppError } from '@perennial/kernel';
import { EXPORT_LIMITS } from './limits.js';
import type { SequenceEvent } from './sequence.js';

/** What one key of a joined profile has at a cutoff. */
export interface MemberState {
  readonly key: string;
  /** Index of the cutoff. */
  readonly at: number;
  readonly engine: EngineState;
  readonly sequence: readonly SequenceEvent[];
}

/** What is read back of some groups of keys. */
export interface SpilledPart {
  /** By cutoff, then by key. */
  readonly states: ReadonlyMap<number, ReadonlyMap<string, string>>;
  readonly orders: ReadonlyMap<string, readonly OrderChange[]>;
}

/**
 * States and orders of the keys that take part in joins, on disk until all partitions were read: keys of one profile are
 * in several. Keys that are ever connected are in one file, and memory holds one file at a time.
 */
export class JoinedSpill {
  readonly #folder: string;
  readonly #spec: CompiledFeatures;
  readonly #fileBytesMax: number;
  readonly #files = new Map<number, { readonly descriptor: number; bytes: number }>();

  /** The folder is made, and removed by `close`. */
  constructor(folder: string, spec: CompiledFeatures, fileBytesMax: number = EXPORT_LIMITS.joinedFileBytesMax) {
    this.#folder = folder;
    this.#spec = spec;
    this.#fileBytesMax = fileBytesMax;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  /** Throws `limit_exceeded` for more than a file may hold, as `addOrder` does. */
  addState(file: number, { key, at, engine, sequence }: MemberState): void {
    const state = this.#spec.encode(engine).toString('base64');
    this.#write(file, [at, key, { state, sequence }]);
  }

  addOrder(file: number, key: string, change: OrderChange): void {
    this.#write(file, [-1, key, change]);
  }

  /** The engine's state and the sequence of `states`, as they were given. */
  decode(text: string): Pick<MemberState, 'engine' | 'sequence'> {
    const { state, sequence } = (JSON.parse(text) as [number, string, { state: string; sequence: SequenceEvent[] }])[2];
    return { engine: this.#spec.decode(Buffer.from(state, 'base64')), sequence };
  }

  /** Undefined for a file that nothing was added to. */
  async read(file: number): Promise<SpilledPart | undefined> {
    const path = this.#pathOf(file);
    if (!existsSync(path)) return undefined;
    const states = new Map<number, Map<string, string>>();
    const orders = new Map<string, OrderChange[]>();
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
      const [at, key, content] = JSON.parse(line) as [number, string, OrderChange];
      if (at < 0) {
        const known = orders.get(key);
        if (known === undefined) orders.set(key, [content]);
        else known.push(content);
      } else {
        const known = states.get(at) ?? new Map<string, string>();
        states.set(at, known.set(key, line));
      }
    }
    return { states, orders };
  }

  close(): void {
    for (const { descriptor } of this.#files.values()) closeSync(descriptor);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(file: number, line: readonly unknown[]): void {
    const open = this.#files.get(file) ?? { descriptor: openSync(this.#pathOf(file), 'w', 0o600), bytes: 0 };
    this.#files.set(file, open);
    open.bytes += writeSync(open.descriptor, `${JSON.stringify(line)}\n`);
    if (open.bytes > this.#fileBytesMax)
      throw new AppError(
        'limit_exceeded',
        'the joined profiles have more states than an export merges: ask for fewer cutoffs at once, or a shorter --sequence-length',
      );
  }

  #pathOf(file: number): string {
    return join(this.#folder, `${file}.ndjson`);
  }
}
