import type { NoticeType } from '@perennial/contracts';
import { addRawOperation, type FastifyInstance, type FastifyReply, type FastifyRequest } from '@perennial/service-host';
import { fromWebhook } from '../domain/notices/from-webhook.js';
import { isJsonObject } from '../domain/parse-properties.js';
import { type BodyForm, enter, parseObject } from './enter.js';
import { NOTICES } from './event-paths.js';
import { HttpRejection } from './http-rejection.js';
import type { IngestContext } from './ingest-context.js';
import { takeWebhook } from './operations.js';
import { checkItems, replyToBatch, replyToOne, takeCalls } from './take-calls.js';
import { readBodyKey } from './write-key.js';

/** One report, a list of them, or a batch. */
const NOTICE_FORM: BodyForm = {
  parse: (json) => parseObject(Array.isArray(json) ? { batch: json } : json),
  toItems: (body) => checkItems(body.batch ?? [body]),
  readKey: readBodyKey,
};

/** Providers send one item, a list, or a list under one of these names. */
const WEBHOOK_LISTS = ['events', 'batch', 'data', 'items'];

const WEBHOOK_FORM: BodyForm = {
  parse: NOTICE_FORM.parse,
  toItems: (body) => checkItems(WEBHOOK_LISTS.map((name) => body[name]).find(Array.isArray) ?? [body]),
  readKey: readBodyKey,
};

const PROVIDER = /^[a-z0-9-]{1,40}$/;

/** Where other systems report: outcomes of actions, contacts, consents. */
export function addNoticeRoutes(server: FastifyInstance, ingest: IngestContext): void {
  for (const { operation, callType } of NOTICES) {
    addRawOperation(server, operation, (request, reply) => handleNotices(request, reply, { ingest, callType }));
  }
  addRawOperation(server, takeWebhook, (request, reply) => handleWebhook(request, reply, ingest));
}

/** One report that is wrong is answered as one call is, a batch with wrong ones as a batch of events. */
async function handleNotices(
  request: FastifyRequest,
  reply: FastifyReply,
  { ingest, callType }: { ingest: IngestContext; callType: NoticeType },
): Promise<FastifyReply> {
  const { body, ...entered } = await enter(request, ingest, NOTICE_FORM);
  const rejections = await takeCalls(request, ingest, { ...entered, callType, sentAt: body.sentAt });
  return body.batch === undefined ? replyToOne(reply, rejections) : replyToBatch(reply, rejections);
}

/** A provider sends again what is not answered with 200, so what is wrong is listed and kept as that of a batch is. */
async function handleWebhook(
  request: FastifyRequest,
  reply: FastifyReply,
  ingest: IngestContext,
): Promise<FastifyReply> {
  const provider = isJsonObject(request.params) ? String(request.params.provider) : '';
  if (!PROVIDER.test(provider)) {
    throw new HttpRejection(400, 'invalid_provider', 'the provider must be 1 to 40 of a to z, 0 to 9 and -');
  }
  const { body: _body, ...entered } = await enter(request, ingest, WEBHOOK_FORM);
  const toSegment = (item: unknown) => fromWebhook(item, provider);
  return replyToBatch(reply, await takeCalls(request, ingest, { ...entered, callType: 'outcome', toSegment }));
}
