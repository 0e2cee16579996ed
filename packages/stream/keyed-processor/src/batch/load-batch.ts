import type { StateCodec } from '../definition.js';
import { type Ownership, toFence } from '../partition/ownership.js';
import type { LoadReply, PartitionStore } from '../store/store.js';
import type { BatchEntry } from './decode-batch.js';
import type { DueTimers } from './timers.js';

/** Every state and due timer that a batch can touch. */
export interface LoadedBatch<State> {
  readonly states: ReadonlyMap<string, State>;
  readonly timers: DueTimers;
  /** No timer in the store is due before this time. */
  readonly timersFromMs: number;
}

/** Reads states and due timers from the cache, and the missing ones with one fenced read. */
export async function loadBatch<State, Input>(
  own: Ownership<State>,
  entries: ReadonlyArray<BatchEntry<Input>>,
  from: {
    readonly store: PartitionStore;
    readonly codec: StateCodec<State>;
    readonly limits: { readonly timersPerLoadMax: number };
  },
): Promise<LoadedBatch<State>> {
  const { keys, tickMs } = needsOf(entries);
  const wantsTimers = tickMs >= 0 && tickMs >= own.timersFromMs;
  const { states, missing } = readCache(own, keys);
  let reply: LoadReply = { states: [], timers: [], nextTimerAtMs: undefined };
  let truncated = false;
  let timersFromMs = own.timersFromMs;
  if (missing.length > 0 || wantsTimers) {
    const timers = wantsTimers ? { timers: { upToMs: tickMs, limit: from.limits.timersPerLoadMax } } : {};
    reply = await from.store.load(toFence(own), { keys: missing, ...timers });
  }
  if (wantsTimers) {
    truncated = reply.nextTimerAtMs !== undefined && reply.nextTimerAtMs <= tickMs;
    timersFromMs = truncated ? Number.NEGATIVE_INFINITY : (reply.nextTimerAtMs ?? Number.POSITIVE_INFINITY);
  }
  addLoaded(own, states, { missing, reply, codec: from.codec });
  return { states, timers: { timers: reply.timers, truncated }, timersFromMs };
}

/** The states that are cached, and the keys of which nothing is. One look-up a key: a batch has thousands of them. */
function readCache<State>(
  own: Ownership<State>,
  keys: ReadonlySet<string>,
): { readonly states: Map<string, State>; readonly missing: string[] } {
  const states = new Map<string, State>();
  const missing: string[] = [];
  for (const key of keys) {
    const known = own.cache.get(key);
    if (known === undefined) missing.push(key);
    else if (known.state !== undefined) states.set(key, known.state);
  }
  return { states, missing };
}

/** Adds what was read to the states of the batch, and to the cache. */
function addLoaded<State>(
  own: Ownership<State>,
  states: Map<string, State>,
  { missing, reply, codec }: { missing: readonly string[]; reply: LoadReply; codec: StateCodec<State> },
): void {
  const remember = (key: string, bytes: Buffer | null, cached?: State) => {
    const state = cached ?? (bytes === null ? undefined : codec.decode(bytes));
    own.cache.set(key, state, bytes?.length ?? 0);
    if (state !== undefined) states.set(key, state);
  };
  missing.forEach((key, i) => {
    remember(key, reply.states[i] ?? null);
  });
  for (const { key, state } of reply.timers) {
    if (!states.has(key)) remember(key, state, own.cache.get(key)?.state);
  }
}

/** The profiles that a batch touches, and the latest tick in it (-1 for none). */
function needsOf<Input>(entries: ReadonlyArray<BatchEntry<Input>>): { keys: Set<string>; tickMs: number } {
  const keys = new Set<string>();
  let tickMs = -1;
  for (const entry of entries) {
    if (entry.result === 'wake') keys.add(entry.key);
    if (entry.result !== 'decoded') continue;
    if (entry.decoded.kind === 'record') keys.add(entry.decoded.key);
    else if (entry.decoded.kind === 'tick') tickMs = Math.max(tickMs, entry.decoded.timeMs);
  }
  return { keys, tickMs };
}
