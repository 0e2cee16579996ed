import { isJsonObject } from './parse-properties.js';

/** Fields of an event that hold a write key by the APIs of Segment and PostHog. */
const KEY_FIELDS = new Set(['writeKey', 'api_key']);

/** An event without the fields that hold its write key, whatever the key looks like. */
export function withoutKeyFields(json: unknown): unknown {
  if (!isJsonObject(json) || !Object.keys(json).some((name) => KEY_FIELDS.has(name))) return json;
  return Object.fromEntries(Object.entries(json).filter(([name]) => !KEY_FIELDS.has(name)));
}
