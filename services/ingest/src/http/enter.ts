import { createRandomToken } from '@perennial/kernel';
import type { FastifyRequest } from '@perennial/service-host';
import { parseJson } from '../domain/from-received-record.js';
import { isJsonObject, type JsonObject } from '../domain/parse-properties.js';
import { Rejection } from '../domain/rejection.js';
import { toRejectedRecord } from '../records.js';
import { admit, findSource, hasSource } from './admission.js';
import { HttpRejection } from './http-rejection.js';
import type { IngestContext } from './ingest-context.js';
import { decodeBody } from './read-body.js';
import { readBodyKey } from './write-key.js';

/** How a route reads its bodies. */
export interface BodyForm {
  /** The body as this form has it, or why it is none. */
  readonly parse: (json: unknown) => JsonObject | Rejection;
  /** Its events; throws HttpRejection when there are none, or too many. */
  readonly toItems: (body: JsonObject) => readonly unknown[];
  readonly readKey: (json: unknown) => string | undefined;
}

/** One call of the Segment API: the body is the event. */
export const CALL_FORM: BodyForm = { parse: parseObject, toItems: (body) => [body], readKey: readBodyKey };

export function parseObject(json: unknown): JsonObject | Rejection {
  return isJsonObject(json) ? json : new Rejection('not_an_object', 'the body must be a JSON object');
}

/** A request whose source is known, and whose events are within the source's rate. */
export interface Entered {
  readonly body: JsonObject;
  readonly items: readonly unknown[];
  readonly bytes: number;
  readonly sourceId: string;
  /** The source's currency. */
  readonly currency: string | undefined;
  /** Whether the source may report for anybody. */
  readonly reports: boolean;
  readonly receivedAtMs: number;
}

/** Decompression, JSON, the write key where it is in the body, the source's rate: in this order, after `addAdmission`. */
export async function enter(request: FastifyRequest, ingest: IngestContext, form: BodyForm): Promise<Entered> {
  const receivedAtMs = ingest.clock.now();
  const bytes = await decodeBody(request.body as Buffer, request.headers['content-encoding']);
  const parsed = parseJson(bytes);
  const body = parsed instanceof Rejection ? parsed : form.parse(parsed.json);
  const keyInBody = parsed instanceof Rejection ? undefined : form.readKey(parsed.json);
  // An unreadable body may hold a key, so 400 is more accurate than 401.
  if (body instanceof Rejection && keyInBody === undefined && !hasSource(request)) throw toHttpRejection(body);
  if (body instanceof Rejection) {
    const source = await findSource(ingest, request, keyInBody);
    admit(ingest, source, 1);
    const rejected = { rejection: body, event: { bytes }, position: 'http', sourceId: source.id, receivedAtMs };
    await ingest.publisher.publish([toRejectedRecord({ ...rejected, id: createRandomToken() }, ingest.records)]);
    ingest.count({ accepted: 0, rejections: [body] });
    throw toHttpRejection(body);
  }
  const source = await findSource(ingest, request, keyInBody);
  const items = form.toItems(body);
  admit(ingest, source, items.length);
  const currency = source.currency ?? undefined;
  const { id: sourceId, reports } = source;
  return { body, items, bytes: bytes.length, sourceId, currency, reports, receivedAtMs };
}

function toHttpRejection({ reason, message }: Rejection): HttpRejection {
  return new HttpRejection(400, reason, message);
}
