import { addRawOperation, type FastifyInstance, type FastifyReply, type FastifyRequest } from '@perennial/service-host';
import { fromPosthog } from '../domain/from-posthog.js';
import { LIMITS } from '../domain/limits.js';
import type { CallType } from '../domain/normalise.js';
import { isJsonObject } from '../domain/parse-properties.js';
import { receiveCalls } from '../receive.js';
import { type BodyForm, CALL_FORM, enter, parseObject } from './enter.js';
import { BATCHES, CALLS, POSTHOG_BATCHES } from './event-paths.js';
import { HttpRejection } from './http-rejection.js';
import type { IngestContext } from './ingest-context.js';
import { readBodyKey, readPosthogKey } from './write-key.js';

/** A batch in the form of the Segment API, and of PostHog's servers and mobile SDKs. */
const BATCH_FORM: BodyForm = { parse: parseObject, toItems: ({ batch }) => checkItems(batch), readKey: readBodyKey };

/** PostHog's browser SDK sends a list of events, one event, or a batch. */
const POSTHOG_FORM: BodyForm = {
  parse: (json) => parseObject(Array.isArray(json) ? { batch: json } : json),
  toItems: (body) => checkItems(body.batch ?? [body]),
  readKey: readPosthogKey,
};

/** POST of one call, of a batch, and of a batch in PostHog's form. */
export function addEventRoutes(server: FastifyInstance, ingest: IngestContext): void {
  for (const { operation, callType } of CALLS) {
    addRawOperation(server, operation, (request, reply) => handleCall(request, reply, { ingest, callType }));
  }
  for (const operation of BATCHES) {
    addRawOperation(server, operation, (request, reply) => handleBatch(request, reply, { ingest, isPosthog: false }));
  }
  for (const operation of POSTHOG_BATCHES) {
    addRawOperation(server, operation, (request, reply) => handleBatch(request, reply, { ingest, isPosthog: true }));
  }
}

/** One call: a rejection is returned at once (400, or 413 for its size), and also kept in `event.rejected`. */
async function handleCall(
  request: FastifyRequest,
  reply: FastifyReply,
  { ingest, callType }: { ingest: IngestContext; callType: CallType },
): Promise<FastifyReply> {
  const { body: _body, ...entered } = await enter(request, ingest, CALL_FORM);
  const calls = { ...entered, callType, ...toRules(ingest, entered.sourceId) };
  const result = receiveCalls(calls, ingest.clockMode, ingest.records);
  const { acceptedCount, ignored, rejections } = result;
  await ingest.publisher.publish(result.records);
  ingest.count({ accepted: acceptedCount, rejections: rejections.map(({ rejection }) => rejection) });
  ingest.countIgnored(entered.sourceId, ignored);
  ingest.countPlanned(entered.sourceId, result);
  const rejection = rejections[0]?.rejection;
  if (rejection === undefined) return reply.send({ success: true });
  const status = rejection.reason === 'event_too_large' ? 413 : 400;
  return reply.code(status).send({ success: false, error: rejection.reason, message: rejection.message });
}

/**
 * A batch: rejected events are kept in `event.rejected` and listed in the response, the others are accepted. The
 * status is 200: on 400 an SDK would drop the good events with the bad, and on 500 it would send both forever.
 */
async function handleBatch(
  request: FastifyRequest,
  reply: FastifyReply,
  { ingest, isPosthog }: { ingest: IngestContext; isPosthog: boolean },
): Promise<FastifyReply> {
  const { body, ...entered } = await enter(request, ingest, isPosthog ? POSTHOG_FORM : BATCH_FORM);
  const sentAt = body.sentAt ?? body.sent_at ?? (isPosthog ? readSentAt(request.query) : undefined);
  const toSegment = (item: unknown) => fromPosthog(item, typeof sentAt === 'number' ? sentAt : entered.receivedAtMs);
  const inherited = { sentAt, context: isPosthog ? undefined : body.context };
  const calls = { ...entered, ...inherited, ...toRules(ingest, entered.sourceId), ...(isPosthog && { toSegment }) };
  const result = receiveCalls(calls, ingest.clockMode, ingest.records);
  const { acceptedCount, ignored, rejections } = result;
  await ingest.publisher.publish(result.records);
  ingest.count({ accepted: acceptedCount, rejections: rejections.map(({ rejection }) => rejection) });
  ingest.countIgnored(entered.sourceId, ignored);
  ingest.countPlanned(entered.sourceId, result);
  if (rejections.length === 0) return reply.send({ success: true });
  const rejected = rejections.map(({ index, rejection: { reason, message } }) => ({ index, reason, message }));
  return reply.send({ success: true, rejected });
}

/** By what the events of a source are read. */
function toRules({ placeholders, identity, plans }: IngestContext, sourceId: string) {
  return { placeholders: placeholders(), identity: identity(), plan: plans(sourceId) };
}

function checkItems(batch: unknown): readonly unknown[] {
  if (!Array.isArray(batch)) throw new HttpRejection(400, 'invalid_batch', 'batch must be an array of events');
  if (batch.length > LIMITS.batchEventsMax) {
    const message = `batch has ${batch.length} events, ${LIMITS.batchEventsMax} at most`;
    throw new HttpRejection(413, 'batch_too_large', message);
  }
  return batch;
}

/** When PostHog's browser SDK sent the request, by its clock: `_` in the query, in ms. */
function readSentAt(query: unknown): number | undefined {
  const text = isJsonObject(query) ? query._ : undefined;
  return typeof text === 'string' && /^\d{13}$/.test(text) ? Number(text) : undefined;
}
