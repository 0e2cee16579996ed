import { createRandomToken } from '@perennial/kernel';
import { addRawOperation, type FastifyInstance, type FastifyReply, type FastifyRequest } from '@perennial/service-host';
import { fromPosthog } from '../domain/from-posthog.js';
import { parseJson } from '../domain/from-received-record.js';
import { LIMITS } from '../domain/limits.js';
import type { CallType } from '../domain/normalise.js';
import { isJsonObject, type JsonObject } from '../domain/parse-properties.js';
import { Rejection } from '../domain/rejection.js';
import { receiveCalls } from '../receive.js';
import { toRejectedRecord } from '../records.js';
import { authenticate, type IngestContext } from './ingest-context.js';
import { defineBatchOperation, defineCallOperation } from './operations.js';
import { decodeBody } from './read-body.js';
import { HttpRefusal } from './refusal.js';
import { checkWriteKey, parseAuthorization } from './write-key.js';

const CALL_PATHS: Readonly<Record<string, CallType>> = {
  '/v1/track': 'track',
  '/v1/identify': 'identify',
  '/v1/page': 'page',
  '/v1/screen': 'screen',
  '/v1/group': 'group',
  '/v1/alias': 'alias',
  '/v1/t': 'track',
  '/v1/i': 'identify',
  '/v1/p': 'page',
  '/v1/s': 'screen',
  '/v1/g': 'group',
  '/v1/a': 'alias',
};
const BATCH_PATHS = ['/v1/batch', '/v1/b', '/v1/import'];
const POSTHOG_PATHS = ['/batch', '/batch/'];

const CALLS = Object.entries(CALL_PATHS).map(([path, callType]) => ({
  callType,
  operation: defineCallOperation(path, toId(path)),
}));
const BATCHES = BATCH_PATHS.map((path) => defineBatchOperation(path, toId(path)));
const POSTHOG_BATCHES = POSTHOG_PATHS.map((path) => defineBatchOperation(path, toId(path)));

/** The contract of the event routes. */
export const EVENT_OPERATIONS = [...CALLS.map(({ operation }) => operation), ...BATCHES, ...POSTHOG_BATCHES];

/** Every path that accepts events, for CORS. */
export const EVENT_PATHS = EVENT_OPERATIONS.map(({ path }) => path);

/** `/v1/track` gives `post_v1_track`: a unique id per path. */
function toId(path: string): string {
  return `post${path.replaceAll('/', '_')}`;
}

/** POST of one call, of a batch, and of a batch in PostHog's form. */
export function addEventRoutes(server: FastifyInstance, ingest: IngestContext): void {
  for (const { operation, callType } of CALLS) {
    addRawOperation(server, operation, (request, reply) => handleCall(request, reply, { ingest, callType }));
  }
  for (const operation of BATCHES) {
    addRawOperation(server, operation, (request, reply) => handleBatch(request, reply, { ingest }));
  }
  for (const operation of POSTHOG_BATCHES) {
    addRawOperation(server, operation, (request, reply) =>
      handleBatch(request, reply, { ingest, toSegment: fromPosthog }),
    );
  }
}

/** One call: a rejection is returned at once (400, or 413 for its size), and also kept in `event.rejected`. */
async function handleCall(
  request: FastifyRequest,
  reply: FastifyReply,
  { ingest, callType }: { ingest: IngestContext; callType: CallType },
): Promise<FastifyReply> {
  const { body, ...arrived } = await enter(request, ingest, () => 1);
  const calls = { items: [body], callType, ...arrived };
  const { records, acceptedCount, rejections } = receiveCalls(calls, ingest.clockMode, ingest.records);
  await ingest.publisher.publish(records);
  ingest.count({ accepted: acceptedCount, rejections: rejections.map(({ rejection }) => rejection) });
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
  { ingest, toSegment }: { ingest: IngestContext; toSegment?: (item: unknown) => unknown },
): Promise<FastifyReply> {
  const { body, ...arrived } = await enter(request, ingest, (parsed) => parseItems(parsed).length);
  const sentAt = body.sentAt ?? body.sent_at;
  const calls = { items: parseItems(body), sentAt, ...arrived, ...(toSegment && { toSegment }) };
  const { records, acceptedCount, rejections } = receiveCalls(calls, ingest.clockMode, ingest.records);
  await ingest.publisher.publish(records);
  ingest.count({ accepted: acceptedCount, rejections: rejections.map(({ rejection }) => rejection) });
  if (rejections.length === 0) return reply.send({ success: true });
  const rejected = rejections.map(({ index, rejection: { reason, message } }) => ({ index, reason, message }));
  return reply.send({ success: true, rejected });
}

interface Entered {
  readonly body: JsonObject;
  readonly bytes: number;
  readonly sourceId: string;
  /** The source's currency. */
  readonly currency: string | undefined;
  readonly receivedAtMs: number;
}

/** Checks of every request: decompression, JSON, the write key, the source's rate. */
async function enter(
  request: FastifyRequest,
  ingest: IngestContext,
  countEvents: (body: JsonObject) => number,
): Promise<Entered> {
  const receivedAtMs = ingest.clock.now();
  const bytes = await decodeBody(request.body as Buffer, request.headers['content-encoding']);
  const body = parseBody(bytes);
  const fields = body instanceof Rejection ? {} : body;
  const keyInHeader = parseAuthorization(request.headers.authorization);
  const writeKey = keyInHeader ?? checkWriteKey(fields.writeKey) ?? checkWriteKey(fields.api_key);
  // An unreadable body may hold a key, so 400 is more accurate than 401.
  if (body instanceof Rejection && writeKey === undefined) throw new HttpRefusal(400, body.reason, body.message);
  const source = await authenticate(ingest, writeKey);
  admit(ingest, source, body instanceof Rejection ? 1 : countEvents(body));
  if (body instanceof Rejection) {
    const rejected = { rejection: body, event: { bytes }, position: 'http', sourceId: source.id, receivedAtMs };
    await ingest.publisher.publish([toRejectedRecord({ ...rejected, id: createRandomToken() }, ingest.records)]);
    ingest.count({ accepted: 0, rejections: [body] });
    throw new HttpRefusal(400, body.reason, body.message);
  }
  return { body, bytes: bytes.length, sourceId: source.id, currency: source.currency ?? undefined, receivedAtMs };
}

function parseBody(bytes: Buffer): JsonObject | Rejection {
  const parsed = parseJson(bytes);
  if (parsed instanceof Rejection) return parsed;
  return isJsonObject(parsed.json) ? parsed.json : new Rejection('not_an_object', 'the body must be a JSON object');
}

function parseItems(body: JsonObject): readonly unknown[] {
  const { batch } = body;
  if (!Array.isArray(batch)) throw new HttpRefusal(400, 'invalid_batch', 'batch must be an array of events');
  if (batch.length > LIMITS.batchEventsMax) {
    const message = `batch has ${batch.length} events, ${LIMITS.batchEventsMax} at most`;
    throw new HttpRefusal(413, 'batch_too_large', message);
  }
  return batch;
}

function admit(ingest: IngestContext, source: Parameters<IngestContext['sources']['admit']>[0], events: number): void {
  const retryAfterMs = ingest.sources.admit(source, events);
  if (retryAfterMs === 0) return;
  const seconds = String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  const message = `source ${source.name} sends more than ${source.eventsPerSecondMax} events/s`;
  // Both in seconds from now, as @segment/analytics-node (Retry-After) and analytics-next (X-RateLimit-Reset) read them.
  throw new HttpRefusal(429, 'rate_limited', message, { 'retry-after': seconds, 'x-ratelimit-reset': seconds });
}
