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
  const missing = [...keys].filter((key) => own.cache.get(key) === undefined);
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
  const states = toStates(own, { keys, missing, reply, codec: from.codec });
  return { states, timers: { timers: reply.timers, truncated }, timersFromMs };
}

function toStates<State>(
  own: Ownership<State>,
  batch: {
    readonly keys: ReadonlySet<string>;
    readonly missing: readonly string[];
    readonly reply: LoadReply;
    readonly codec: StateCodec<State>;
  },
): Map<string, State> {
  const states = new Map<string, State>();
  // Cached ones first: adding others to the cache may evict them.
  for (const key of batch.keys) {
    const state = own.cache.get(key)?.state;
    if (state !== undefined) states.set(key, state);
  }
  const remember = (key: string, bytes: Buffer | null) => {
    if (states.has(key)) return;
    const state = own.cache.get(key)?.state ?? (bytes === null ? undefined : batch.codec.decode(bytes));
    own.cache.set(key, state, bytes?.length ?? 0);
    if (state !== undefined) states.set(key, state);
  };
  batch.missing.forEach((key, i) => {
    remember(key, batch.reply.states[i] ?? null);
  });
  for (const { key, state } of batch.reply.timers) remember(key, state);
  return states;
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
