import { AppError } from '@perennial/kernel';
import type {
  CommitRequest,
  Fence,
  PartitionMeta,
  PartitionStore,
  ProfileReading,
  ReadGuard,
  StoredOutbox,
} from '@perennial/keyed-processor';
import { SCAN_START } from '@perennial/keyed-processor/internals';

interface Contents {
  owner: string | undefined;
  meta: PartitionMeta | undefined;
  states: Map<string, Buffer>;
  timers: Map<string, number>;
  outboxes: Map<number, Buffer>;
}

/** So that no key is taken for the start of a scan. */
const CURSOR_PREFIX = 'after:';

/** The store of one partition in memory, for unit tests; it can fail, lose its last commits and be emptied. */
export class MemoryPartitionStore implements PartitionStore {
  #now: Contents = { owner: undefined, meta: undefined, states: new Map(), timers: new Map(), outboxes: new Map() };
  readonly #history: Contents[] = [];
  readonly #keepsHistory: boolean;
  /** Thrown by the next call, once. */
  failNext: Error | undefined;

  /** Without a history (a copy at each commit) it cannot lose its last commits. */
  constructor({ keepsHistory = true }: { keepsHistory?: boolean } = {}) {
    this.#keepsHistory = keepsHistory;
  }

  get meta(): PartitionMeta | undefined {
    return this.#now.meta;
  }

  async acquire(owner: string) {
    this.#mayFail();
    this.#now.owner = owner;
    return { meta: this.#now.meta, outboxes: this.#outboxes() };
  }

  async load(fence: Fence, request: { keys: readonly string[]; timers?: { upToMs: number; limit: number } }) {
    this.#mayFail();
    this.#check(fence);
    const sorted = [...this.#now.timers].sort(
      ([a, dueA], [b, dueB]) => dueA - dueB || Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    const bound = request.timers?.upToMs ?? Number.NEGATIVE_INFINITY;
    const due = sorted.filter(([, dueAtMs]) => dueAtMs <= bound).slice(0, request.timers?.limit ?? 0);
    return {
      states: request.keys.map((key) => this.#now.states.get(key) ?? null),
      timers: due.map(([key, dueAtMs]) => ({ key, dueAtMs, state: this.#now.states.get(key) ?? null })),
      nextTimerAtMs: sorted[due.length]?.[1],
    };
  }

  async commit(fence: Fence, request: CommitRequest) {
    this.#mayFail();
    this.#check(fence);
    this.#remember();
    this.#now.meta = request.meta;
    for (const sequence of request.acknowledged) this.#now.outboxes.delete(sequence);
    if (request.outbox !== undefined) this.#now.outboxes.set(request.outbox.sequence, request.outbox.bytes);
    for (const [key, state] of request.states) setOrDelete(this.#now.states, key, state);
    for (const [key, dueAtMs] of request.timers) setOrDelete(this.#now.timers, key, dueAtMs);
  }

  async scan(guard: ReadGuard, from: { cursor: string; count: number }) {
    this.#mayFail();
    this.#checkGuard(guard);
    const after = from.cursor === SCAN_START ? '' : from.cursor.slice(CURSOR_PREFIX.length);
    // In key order, so that a key added before the cursor is not returned, as in a hash table.
    const keys = [...this.#now.states.keys()].filter((key) => key > after).sort();
    const page = keys.slice(0, from.count);
    return { ...this.#read(page), cursor: keys.length > page.length ? `${CURSOR_PREFIX}${page.at(-1)}` : undefined };
  }

  async peek(guard: ReadGuard, keys: readonly string[]) {
    this.#mayFail();
    this.#checkGuard(guard);
    return this.#read(keys);
  }

  async wipe(owner: string) {
    this.#mayFail();
    const { meta } = this.#now;
    const begun = meta !== undefined && meta.restoring === undefined;
    if (this.#now.owner !== owner || begun) throw fenced();
    this.#remember();
    this.#now = { owner, meta: undefined, states: new Map(), timers: new Map(), outboxes: new Map() };
  }

  /** Loses everything at once, including the owner. */
  empty(): void {
    this.#remember();
    this.#now = { owner: undefined, meta: undefined, states: new Map(), timers: new Map(), outboxes: new Map() };
  }

  /** A failover that loses the last `count` commits, including owner tokens of their time. */
  loseCommits(count: number): void {
    const kept = this.#history.length - count;
    const before = this.#history[Math.max(0, kept)];
    if (count <= 0 || before === undefined) return;
    this.#history.length = Math.max(0, kept);
    this.#now = before;
  }

  /** The whole content, in a form in which two runs can be compared. */
  contents(): { meta: PartitionMeta | undefined; states: Record<string, string>; timers: Record<string, number> } {
    return {
      meta: this.#now.meta,
      states: Object.fromEntries([...this.#now.states].sort().map(([key, state]) => [key, state.toString('latin1')])),
      timers: Object.fromEntries([...this.#now.timers].sort()),
    };
  }

  #outboxes(): StoredOutbox[] {
    return [...this.#now.outboxes].sort(([a], [b]) => a - b).map(([sequence, bytes]) => ({ sequence, bytes }));
  }

  #read(keys: readonly string[]): ProfileReading {
    const { meta, states, timers, outboxes } = this.#now;
    return {
      next: meta?.next ?? 0,
      ordinal: meta?.ordinal ?? 0,
      outboxes: outboxes.size,
      profiles: keys.map((key) => ({ key, state: states.get(key) ?? null, dueAtMs: timers.get(key) ?? null })),
    };
  }

  #remember(): void {
    if (!this.#keepsHistory) return;
    this.#history.push({
      ...this.#now,
      states: new Map(this.#now.states),
      timers: new Map(this.#now.timers),
      outboxes: new Map(this.#now.outboxes),
    });
  }

  #checkGuard({ owner, nextMin }: ReadGuard): void {
    if (this.#now.owner !== owner || (this.#now.meta?.next ?? 0) < nextMin) throw fenced();
  }

  #check(fence: Fence): void {
    const { owner, meta } = this.#now;
    if (owner !== fence.owner || (meta?.next ?? 0) !== fence.next || (meta?.commits ?? 0) !== fence.commits) {
      throw fenced();
    }
  }

  #mayFail(): void {
    const error = this.failNext;
    this.failNext = undefined;
    if (error !== undefined) throw error;
  }
}

function setOrDelete<V>(map: Map<string, V>, key: string, value: V | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}

function fenced(): AppError {
  return new AppError('fenced', 'another owner holds the partition, or the store lost writes');
}
