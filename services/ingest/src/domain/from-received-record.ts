import { isUtf8 } from 'node:buffer';
import type { Unreadable } from '@perennial/kafka';
import { toMessage } from '@perennial/kernel';
import { toCloudEventMessageId } from './cloud-event-id.js';
import { EVENT_TYPES, type EventType } from './event-shape.js';
import { LIMITS } from './limits.js';
import { isAbsent, isJsonObject, type JsonObject } from './parse-properties.js';
import { Rejection } from './rejection.js';

/** An event in the Segment shape, and which of its fields were read from attributes of a CloudEvent. */
export interface ReceivedCall {
  readonly body: JsonObject;
  /** Name of the attribute by name of the field. */
  readonly attributes: ReadonlyMap<string, string>;
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/**
 * The Segment-shaped event in a record of `event.received`: plain JSON, or a CloudEvent in binary mode (`ce_*` headers)
 * or structured mode (`specversion` in the body). A CloudEvent's source and id, time and type are used where the body has
 * no messageId, timestamp and type, or an empty one; its type ends in the call's name, as in `com.example.track`.
 */
export function fromReceivedRecord(record: {
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly unreadable?: Unreadable;
}): ReceivedCall | Rejection {
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
  if (headers.ce_specversion === undefined && headers.ce_id === undefined) return { body, attributes: NO_ATTRIBUTES };
  const { ce_id: id, ce_source: source, ce_type: type, ce_time: time } = headers;
  return withAttributes(body, { id, source, type, time });
}

/**
 * The data of a CloudEvent in structured mode: JSON, the bytes of JSON in base64, as SDKs write data given as bytes, or
 * its text, as they write data that was encoded before.
 */
function parseData({ data, data_base64: base64 }: JsonObject): JsonObject | Rejection {
  const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
  const text = bytes === undefined && typeof data === 'string' ? Buffer.from(data) : bytes;
  const parsed = text === undefined ? { json: data } : parseJson(text);
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
): ReceivedCall {
  const attributes = new Map<string, string>();
  const fill = (field: string, attribute: string, value: unknown) => {
    if (!isAbsent(body[field])) return body[field];
    attributes.set(field, attribute);
    return value;
  };
  const filled = {
    // A type without a call's name is kept: the rejection shows it.
    type: fill('type', 'type', toCallType(type) ?? type),
    messageId: fill('messageId', 'id', toCloudEventMessageId({ source, id })),
    timestamp: fill('timestamp', 'time', time),
  };
  return { body: { ...body, ...filled }, attributes };
}

/** A rejection by the name that the producer knows: of the attribute, where the field was read from one. */
export function nameAttribute(rejection: Rejection, attributes: ReadonlyMap<string, string>): Rejection {
  const { field, message, reason, step, value } = rejection;
  const attribute = field === undefined ? undefined : attributes.get(field);
  if (attribute === undefined) return rejection;
  const { violations } = rejection;
  return new Rejection(reason, `attribute ${attribute} of the CloudEvent: ${message}`, step, {
    field: attribute,
    value,
    violations,
  });
}

function toCallType(ceType: unknown): EventType | undefined {
  if (typeof ceType !== 'string') return undefined;
  const parts = ceType.toLowerCase().split(/[./:]/);
  return EVENT_TYPES.find((name) => parts.includes(name));
}
