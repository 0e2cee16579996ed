import type { FastifyReply, FastifyRequest } from '@perennial/service-host';
import { LIMITS } from '../domain/limits.js';
import { type ReceivedCalls, type ReceiveResult, receiveCalls } from '../receive.js';
import type { Entered } from './enter.js';
import { HttpRejection } from './http-rejection.js';
import type { IngestContext } from './ingest-context.js';

type Rejections = ReceiveResult['rejections'];

/** Writes the records of a request that has entered, reports it to the metrics, and gives what was rejected. */
export async function takeCalls(
  request: FastifyRequest,
  ingest: IngestContext,
  entered: Omit<Entered, 'body'> & Pick<ReceivedCalls, 'callType' | 'sentAt' | 'context' | 'toSegment'>,
): Promise<Rejections> {
  const { sourceId } = entered;
  const { placeholders, identity, plans } = ingest;
  const rules = { placeholders: placeholders(), identity: identity(), plan: plans(sourceId) };
  const calls = { ...entered, ...rules, gpc: request.headers['sec-gpc'] === '1' };
  const result = receiveCalls(calls, ingest.clockMode, ingest.records);
  await ingest.publisher.publish(result.records);
  const rejections = result.rejections.map(({ rejection }) => rejection);
  ingest.count({ accepted: result.acceptedCount, rejections });
  ingest.countIgnored(sourceId, result.ignored);
  ingest.countPlanned(sourceId, result);
  return result.rejections;
}

/** Answers for one event: a rejection is a 400, or a 413 for its size. */
export function replyToOne(reply: FastifyReply, rejections: Rejections): FastifyReply {
  const rejection = rejections[0]?.rejection;
  if (rejection === undefined) return reply.send({ success: true });
  const status = rejection.reason === 'event_too_large' ? 413 : 400;
  return reply.code(status).send({ success: false, error: rejection.reason, message: rejection.message });
}

/**
 * Answers for a batch. The status is 200: on 400 an SDK would drop the good events with the bad, and on 500 it would send
 * both forever.
 */
export function replyToBatch(reply: FastifyReply, rejections: Rejections): FastifyReply {
  if (rejections.length === 0) return reply.send({ success: true });
  const rejected = rejections.map(({ index, rejection: { reason, message } }) => ({ index, reason, message }));
  return reply.send({ success: true, rejected });
}

/** The events of a batch; throws HttpRejection when there are none, or too many. */
export function checkItems(batch: unknown): readonly unknown[] {
  if (!Array.isArray(batch)) throw new HttpRejection(400, 'invalid_batch', 'batch must be an array of events');
  if (batch.length > LIMITS.batchEventsMax) {
    const message = `batch has ${batch.length} events, ${LIMITS.batchEventsMax} at most`;
    throw new HttpRejection(413, 'batch_too_large', message);
  }
  return batch;
}
