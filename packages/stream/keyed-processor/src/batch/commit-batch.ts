import type { StateCodec } from '../definition.js';
import { type Ownership, toFence } from '../partition/ownership.js';
import type { PartitionStore } from '../store/store.js';
import type { BatchResult } from './batch.js';
import { encodeOutbox } from './outbox.js';

/** Commits a batch's result atomically, then passes its outbox to the publisher. */
export async function commitBatch<State>(
  own: Ownership<State>,
  result: BatchResult<State>,
  to: { readonly store: PartitionStore; readonly codec: StateCodec<State> },
): Promise<void> {
  const states = [...result.states].map(
    ([key, state]) => [key, state === undefined ? null : to.codec.encode(state)] as const,
  );
  // In a catch-up, the outputs of records below the snapshot's end were published and acknowledged before.
  const outputs = own.catchUp === undefined ? result.outputs : [];
  const sequence = outputs.length === 0 ? own.meta.sequence : own.meta.sequence + 1;
  const outbox = outputs.length === 0 ? undefined : { sequence, bytes: encodeOutbox(outputs) };
  const meta = { ...result.meta, sequence, restoring: own.meta.restoring };
  const acknowledged = own.publisher.peekAcknowledged();
  own.changes.note(states);
  await to.store.commit(toFence(own), { meta, states, timers: [...result.timers], outbox, acknowledged });
  own.publisher.forget(acknowledged);
  own.meta = meta;
  states.forEach(([key, bytes]) => {
    own.cache.set(key, result.states.get(key), bytes?.length ?? 0);
  });
  if (outbox !== undefined) own.publisher.add({ sequence, records: outputs, next: meta.next });
}
