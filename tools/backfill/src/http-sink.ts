import { AppError } from '@perennial/kernel';
import { type BatchAnswer, postBatch } from './event-client.js';
import type { Delivery, EventSink, RejectedEvent } from './event-sink.js';
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
    if (answer.status === 200) return { rejected: parseRejected(answer.body, batch) };
    if (answer.status !== 400 && answer.status !== 413) {
      throw new AppError(
        'contract_violation',
        `ingest answers ${answer.status} to a batch: ${JSON.stringify(answer.body)}`,
      );
    }
    if (batch.length === 1) return { rejected: [toRejected(answer, batch[0])] };
    const middle = batch.length >>> 1;
    const first = await deliver(batch.slice(0, middle));
    const second = await deliver(batch.slice(middle));
    return { rejected: [...first.rejected, ...second.rejected] };
  };
  return { deliver, reached: async () => undefined, close: async () => undefined };
}

/** Ingest answers 200 to a batch that has bad events, lists them, and keeps them in `event.rejected`. */
function parseRejected(body: unknown, batch: readonly Outgoing[]): RejectedEvent[] {
  const list = isObject(body) && Array.isArray(body.rejected) ? (body.rejected as unknown[]) : [];
  return list.map((entry) => {
    const { index, reason, message } = isObject(entry) ? entry : {};
    const event = typeof index === 'number' ? batch[index] : undefined;
    return { event, reason: String(reason ?? 'unknown'), message: String(message ?? '') };
  });
}

/** One event that was rejected as a request, before it was read as an event. */
function toRejected({ status, body }: BatchAnswer, event: Outgoing | undefined): RejectedEvent {
  const { reason, message } = isObject(body) ? body : {};
  return { event, reason: String(reason ?? status), message: String(message ?? JSON.stringify(body)) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
