import { isUtf8 } from 'node:buffer';
import type { Unreadable } from '@perennial/kafka';
import { toMessage } from '@perennial/kernel';
import { toCloudEventMessageId } from './cloud-event-id.js';
import { LIMITS } from './limits.js';
import { CALL_TYPES, type CallType } from './normalise.js';
import { isAbsent, isJsonObject, type JsonObject } from './parse-properties.js';
import { Rejection } from './rejection.js';

/**
 * The Segment-shaped event in a record of `event.received`: plain JSON, or a CloudEvent in binary mode (`ce_*` headers)
 * or structured mode (`specversion` in the body). A CloudEvent's source and id, time and type are used where the body has
 * no messageId, timestamp and type, or an empty one; its type ends in the call's name, as in `com.example.track`.
 */
export function fromReceivedRecord(record: {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly unreadable?: Unreadable;
}): JsonObject | Rejection {
  if (record.unreadable !== undefined) return toRejection(record.unreadable);
  if (record.value === null) return new Rejection('not_json', 'the record has no value');
  if (record.value.length > LIMITS.eventBytesMax) {
    return new Rejection(
      'event_too_large',
      `the record has ${record.value.length} bytes, ${LIMITS.eventBytesMax} at most`,
    );
  }
  const parsed = parseJson(record.value);
  if (parsed instanceof Rejection) return parsed;
  const body = parsed.json;
  if (!isJsonObject(body)) return new Rejection('not_an_object', 'an event must be a JSON object');
  if (body.specversion !== undefined && ('data' in body || 'data_base64' in body)) {
    const data = parseData(body);
    if (data instanceof Rejection) return data;
    return withAttributes(data, { id: body.id, source: body.source, type: body.type, time: body.time });
  }
  const { headers } = record;
  if (headers.ce_specversion === undefined && headers.ce_id === undefined) return body;
  const { ce_id: id, ce_source: source, ce_type: type, ce_time: time } = headers;
  return withAttributes(body, { id, source, type, time });
}

/** The data of a CloudEvent in structured mode: JSON, or the bytes of JSON in base64, as SDKs write data given as bytes. */
function parseData({ data, data_base64: base64 }: JsonObject): JsonObject | Rejection {
  const parsed = typeof base64 === 'string' ? parseJson(Buffer.from(base64, 'base64')) : { json: data };
  if (parsed instanceof Rejection) return parsed;
  if (isJsonObject(parsed.json)) return parsed.json;
  return new Rejection('not_an_object', 'data of the CloudEvent must be a JSON object');
}

/** A record, or a whole batch, that the log could not give. */
function toRejection({ reason, message }: Unreadable): Rejection {
  return new Rejection(reason === 'damaged' ? 'unreadable' : reason, message);
}

const BYTE_ORDER_MARK = '\ufeff';

/** Parses UTF-8 JSON, with a byte order mark or without; the message gives the location of the error. Bytes that are not UTF-8 are rejected. */
export function parseJson(bytes: Uint8Array): { readonly json: unknown } | Rejection {
  if (!isUtf8(bytes)) return new Rejection('not_json', 'not JSON: the bytes are not UTF-8');
  try {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
    return { json: JSON.parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text) };
  } catch (error) {
    return new Rejection('not_json', `not JSON: ${toMessage(error)}`);
  }
}

function withAttributes(
  body: JsonObject,
  { id, source, type, time }: { id: unknown; source: unknown; type: unknown; time: unknown },
): JsonObject {
  return {
    ...body,
    type: isAbsent(body.type) ? toCallType(type) : body.type,
    messageId: isAbsent(body.messageId) ? toCloudEventMessageId({ source, id }) : body.messageId,
    timestamp: isAbsent(body.timestamp) ? time : body.timestamp,
  };
}

function toCallType(ceType: unknown): CallType | undefined {
  if (typeof ceType !== 'string') return undefined;
  const parts = ceType.toLowerCase().split(/[./:]/);
  return CALL_TYPES.find((name) => parts.includes(name));
}
