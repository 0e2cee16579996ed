import type {
  CommitRequest,
  Fence,
  LoadRequest,
  PartitionMeta,
  PartitionStore,
  ReadGuard,
} from '@perennial/keyed-processor';
import { EMPTY_META } from '@perennial/keyed-processor/internals';
import { MemoryPartitionStore } from '@perennial/keyed-processor/testing';
import type { Scheduler } from './scheduler.js';

interface Write {
  readonly atMs: number;
  readonly redo: (store: PartitionStore) => Promise<unknown>;
  /** A copy from that time. */
  readonly meta: PartitionMeta | undefined;
}

/** The store of one partition on the server side: a failover loses its last writes, including owner tokens. */
export class StoreServer implements PartitionStore {
  readonly #scheduler: Scheduler;
  #store = new MemoryPartitionStore({ keepsHistory: false });
  #journal: Write[] = [];
  #owner = '';
  /** Called at a commit of states that does not move the offset. */
  onPart: (() => void) | undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The last owner that acquired, as the server has it now. */
  get owner(): string {
    return this.#owner;
  }

  /** Offset and number of commits of the partition. */
  get position(): { next: number; commits: number } {
    const { next, commits } = this.#store.meta ?? EMPTY_META;
    return { next, commits };
  }

  acquire(owner: string) {
    return this.#write((store) => {
      this.#owner = owner;
      return store.acquire(owner);
    });
  }

  load(fence: Fence, request: LoadRequest) {
    return this.#store.load(fence, request);
  }

  async commit(fence: Fence, request: CommitRequest) {
    await this.#write((store) => store.commit(fence, request));
    if (request.states.length > 0 && request.meta.next === fence.next) this.onPart?.();
  }

  scan(guard: ReadGuard, from: { cursor: string; count: number }) {
    return this.#store.scan(guard, from);
  }

  peek(guard: ReadGuard, keys: readonly string[]) {
    return this.#store.peek(guard, keys);
  }

  wipe(owner: string) {
    return this.#write((store) => store.wipe(owner));
  }

  /** A broken wipe: after an interrupted restore, states and timers are not removed. */
  wipeMeta(owner: string) {
    return this.#write((store) => {
      const { meta } = this.#store;
      if (meta?.restoring === undefined) return store.wipe(owner);
      const { next, commits, restoring } = meta;
      const nothing = { states: [], timers: [], outbox: undefined, acknowledged: [] };
      return store.commit({ owner, next, commits }, { ...nothing, meta: { ...EMPTY_META, restoring } });
    });
  }

  get meta(): PartitionMeta | undefined {
    return this.#store.meta;
  }

  contents() {
    return this.#store.contents();
  }

  /** A replica takes over that lacks the writes of the last `ms`. */
  failOver(losesMs: number): void {
    const kept = this.#journal.filter(({ atMs }) => atMs <= this.#scheduler.nowMs - losesMs);
    this.empty();
    for (const write of kept) void write.redo(this.#store);
    this.#journal = kept;
  }

  /** The partition's next offset if the last `ms` are lost; undefined when it had none, or was being restored. */
  nextAfterLosing(losesMs: number): number | undefined {
    const meta = this.#journal.findLast(({ atMs }) => atMs <= this.#scheduler.nowMs - losesMs)?.meta;
    return meta?.restoring === undefined ? meta?.next : undefined;
  }

  /** As after FLUSHALL, or the loss of a disk. */
  empty(): void {
    this.#store = new MemoryPartitionStore({ keepsHistory: false });
    this.#journal = [];
    this.#owner = '';
  }

  async #write<T>(redo: (store: PartitionStore) => Promise<T>): Promise<T> {
    const atMs = this.#scheduler.nowMs;
    const result = await redo(this.#store);
    this.#journal.push({ atMs, redo, meta: this.#store.meta });
    return result;
  }
}
