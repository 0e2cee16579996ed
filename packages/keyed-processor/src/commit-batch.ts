import type { BatchResult } from './batch.js';
import type { StateCodec } from './definition.js';
import { encodeOutbox } from './outbox.js';
import { type Ownership, toFence } from './ownership.js';
import type { PartitionStore } from './store.js';

/** One atomic commit of what a batch came to; then its outbox is the publisher's. */
export async function commitBatch<State>(
  own: Ownership<State>,
  result: BatchResult<State>,
  to: { readonly store: PartitionStore; readonly codec: StateCodec<State> },
): Promise<void> {
  const states = [...result.states].map(
    ([key, state]) => [key, state === undefined ? null : to.codec.encode(state)] as const,
  );
  const sequence = result.outputs.length === 0 ? own.meta.sequence : own.meta.sequence + 1;
  const outbox = result.outputs.length === 0 ? undefined : { sequence, bytes: encodeOutbox(result.outputs) };
  const meta = { ...result.meta, sequence };
  const acknowledged = own.publisher.peekAcknowledged();
  await to.store.commit(toFence(own), { meta, states, timers: [...result.timers], outbox, acknowledged });
  own.publisher.forget(acknowledged);
  own.meta = meta;
  states.forEach(([key, bytes]) => {
    own.cache.set(key, result.states.get(key), bytes?.length ?? 0);
  });
  if (outbox !== undefined) own.publisher.add({ sequence, records: result.outputs });
}
