import type { BlobStore } from '@perennial/blob-store';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import type { Draw } from './draw.js';
import type { Scheduler } from './scheduler.js';

/** A list is read page by page; an upload takes time, during which the partition continues. */
const WORK_MS = { list: { from: 0, to: 300 }, put: { from: 0, to: 120 } };

/**
 * The blob store that all processes of a world share, on the server side: objects are immutable, but may be damaged.
 */
export class BlobServer implements BlobStore {
  readonly #memory = new MemoryBlobStore();
  readonly #scheduler: Scheduler;
  readonly #draw: Draw;
  readonly #damaged = new Set<string>();
  #rewritten: string | undefined;

  constructor(scheduler: Scheduler, draw: Draw) {
    this.#scheduler = scheduler;
    this.#draw = draw;
  }

  get objects(): ReadonlyMap<string, Buffer> {
    return this.#memory.objects;
  }

  /** The first object that a process overwrote with other bytes: objects are immutable. */
  get rewritten(): string | undefined {
    return this.#rewritten;
  }

  /** Visible to others only when the upload has finished. */
  async put(key: string, bytes: Buffer): Promise<void> {
    await this.#work(WORK_MS.put);
    const before = await this.#memory.get(key);
    if (before !== undefined && !before.equals(bytes) && !this.#damaged.has(key)) this.#rewritten ??= key;
    await this.#memory.put(key, bytes);
  }

  get(key: string): Promise<Buffer | undefined> {
    return this.#memory.get(key);
  }

  async list(prefix: string): Promise<string[]> {
    const keys = await this.#memory.list(prefix);
    await this.#work(WORK_MS.list);
    return keys;
  }

  delete(key: string): Promise<void> {
    return this.#memory.delete(key);
  }

  hasDamaged(prefix: string): boolean {
    return [...this.#damaged].some((key) => key.startsWith(prefix));
  }

  damage(key: string): void {
    this.#damaged.add(key);
    this.#memory.damage(key);
  }

  #work(ms: { from: number; to: number }): Promise<void> {
    return new Promise((resolve) => void this.#scheduler.schedule(this.#draw.whole(ms), resolve));
  }
}
