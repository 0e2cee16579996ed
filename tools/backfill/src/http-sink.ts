import { AppError } from '@perennial/kernel';
import { postBatch } from './event-client.js';
import type { Delivery, EventSink } from './event-sink.js';
import type { IngestAddress } from './ingest-address.js';
import type { Outgoing } from './lanes.js';
import type { Retrying } from './retrying.js';

/**
 * Delivers through `POST /v1/batch`. A batch that is rejected as malformed (400) or too large (413) is halved until
 * each bad event is alone in its batch: the bad ones are counted, the others are accepted.
 */
export function createHttpSink(address: IngestAddress, retrying: Retrying): EventSink {
  const deliver = async (batch: readonly Outgoing[]): Promise<Delivery> => {
    const body = `{"batch":[${batch.map(({ json }) => json).join(',')}]}`;
    const answer = await postBatch(address, body, retrying);
    if (answer.status === 200) return { rejected: countRejected(answer.body) };
    if (answer.status !== 400 && answer.status !== 413) {
      throw new AppError(
        'contract_violation',
        `ingest answers ${answer.status} to a batch: ${JSON.stringify(answer.body)}`,
      );
    }
    if (batch.length === 1) return { rejected: 1 };
    const middle = batch.length >>> 1;
    const first = await deliver(batch.slice(0, middle));
    const second = await deliver(batch.slice(middle));
    return { rejected: first.rejected + second.rejected };
  };
  return { deliver, reached: async () => undefined, close: async () => undefined };
}

/** Ingest answers 200 to a batch that has bad events, lists them, and keeps them in `event.rejected`. */
function countRejected(body: unknown): number {
  const rejected = typeof body === 'object' && body !== null && 'rejected' in body ? body.rejected : undefined;
  return Array.isArray(rejected) ? rejected.length : 0;
}
