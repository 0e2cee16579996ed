import { addRawOperation, type FastifyInstance, type FastifyReply, type FastifyRequest } from '@perennial/service-host';
import type { CallType } from '../domain/event-shape.js';
import { fromPosthog } from '../domain/from-posthog.js';
import { isJsonObject } from '../domain/parse-properties.js';
import { type BodyForm, CALL_FORM, enter, parseObject } from './enter.js';
import { BATCHES, CALLS, POSTHOG_BATCHES } from './event-paths.js';
import type { IngestContext } from './ingest-context.js';
import { checkItems, replyToBatch, replyToOne, takeCalls } from './take-calls.js';
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

/** One call: a rejection is returned at once, and also kept in `event.rejected`. */
async function handleCall(
  request: FastifyRequest,
  reply: FastifyReply,
  { ingest, callType }: { ingest: IngestContext; callType: CallType },
): Promise<FastifyReply> {
  const { body: _body, ...entered } = await enter(request, ingest, CALL_FORM);
  return replyToOne(reply, await takeCalls(request, ingest, { ...entered, callType }));
}

/** A batch: rejected events are kept in `event.rejected` and listed in the response, the others are accepted. */
async function handleBatch(
  request: FastifyRequest,
  reply: FastifyReply,
  { ingest, isPosthog }: { ingest: IngestContext; isPosthog: boolean },
): Promise<FastifyReply> {
  const { body, ...entered } = await enter(request, ingest, isPosthog ? POSTHOG_FORM : BATCH_FORM);
  const sentAt = body.sentAt ?? body.sent_at ?? (isPosthog ? readSentAt(request.query) : undefined);
  const toSegment = (item: unknown) => fromPosthog(item, typeof sentAt === 'number' ? sentAt : entered.receivedAtMs);
  const inherited = { sentAt, context: isPosthog ? undefined : body.context };
  const calls = { ...entered, ...inherited, ...(isPosthog && { toSegment }) };
  return replyToBatch(reply, await takeCalls(request, ingest, calls));
}

/** When PostHog's browser SDK sent the request, by its clock: `_` in the query, in ms. */
function readSentAt(query: unknown): number | undefined {
  const text = isJsonObject(query) ? query._ : undefined;
  return typeof text === 'string' && /^\d{13}$/.test(text) ? Number(text) : undefined;
}
