import { isJsonObject } from './parse-properties.js';

/** Write keys and tokens as the platform makes them, wherever they stand in a text: in a URL, a nested property, a header. */
const CREDENTIAL = /\b(pk|pt)_[A-Za-z0-9_-]{40,128}/g;
/** Fields of an event that hold a write key by the APIs of Segment and PostHog. */
const KEY_FIELDS = new Set(['writeKey', 'api_key']);

/** The text with every write key and token replaced by its kind and `[cut]`: what is kept can then be shown to anyone who may see events. */
export function cutCredentials(text: string): string {
  return text.replace(CREDENTIAL, '$1_[cut]');
}

/** An event without the fields that hold its write key, whatever the key looks like. */
export function withoutKeyFields(json: unknown): unknown {
  if (!isJsonObject(json) || !Object.keys(json).some((name) => KEY_FIELDS.has(name))) return json;
  return Object.fromEntries(Object.entries(json).filter(([name]) => !KEY_FIELDS.has(name)));
}
