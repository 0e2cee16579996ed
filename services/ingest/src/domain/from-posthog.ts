import { ANONYMOUS_BEFORE } from './parse-ids.js';
import { isJsonObject, type JsonObject } from './parse-properties.js';

/**
 * Converts an event of PostHog's SDKs to the Segment shape; `normalise` rejects an item that is no object. `sentAtMs` is
 * when the request was sent: the browser SDK says of an event how long before that it happened (`offset`).
 */
export function fromPosthog(raw: unknown, sentAtMs: number): unknown {
  if (!isJsonObject(raw)) return raw;
  // The browser SDK has the write key here.
  const { token: _token, ...properties } = isJsonObject(raw.properties) ? raw.properties : ({} as JsonObject);
  const distinctId = raw.distinct_id ?? raw.$distinct_id ?? properties.distinct_id;
  const common: JsonObject = {
    messageId: raw.uuid,
    ...(isOfVisitor(distinctId, properties) ? { anonymousId: distinctId } : { userId: distinctId }),
    timestamp: raw.timestamp ?? toTimestamp(raw.offset, sentAtMs),
    context: { timezone: properties.$timezone },
  };
  switch (raw.event) {
    case '$identify':
      return {
        ...common,
        type: 'identify',
        userId: distinctId,
        anonymousId: properties.$anon_distinct_id,
        [ANONYMOUS_BEFORE]: properties.$anon_distinct_id,
        traits: raw.$set ?? properties.$set,
      };
    case '$create_alias':
      return { ...common, type: 'alias', userId: distinctId, previousId: properties.alias };
    case '$groupidentify':
      return { ...common, type: 'group', groupId: properties.$group_key, traits: properties.$group_set };
    case '$pageview':
      return { ...common, type: 'page', properties: toProperties(raw.properties, properties) };
    case '$screen':
      return {
        ...common,
        type: 'screen',
        name: properties.$screen_name,
        properties: toProperties(raw.properties, properties),
      };
    default:
      return { ...common, type: 'track', event: raw.event, properties: toProperties(raw.properties, properties) };
  }
}

/**
 * Whether the browser SDK knew nobody when it sent this: its id was made up, for the device at first, and after a `reset()`
 * for the next visitor. Servers send neither of both properties.
 */
function isOfVisitor(distinctId: unknown, { $is_identified: isIdentified, $device_id: deviceId }: JsonObject): boolean {
  return isIdentified === false || (isIdentified === undefined && deviceId !== undefined && deviceId === distinctId);
}

/** The properties without the write key; anything but an object is left for `normalise` to reject. */
function toProperties(raw: unknown, properties: JsonObject): unknown {
  return isJsonObject(raw) ? properties : raw;
}

function toTimestamp(offset: unknown, sentAtMs: number): number | undefined {
  return typeof offset === 'number' && Number.isFinite(offset) && offset >= 0 ? sentAtMs - offset : undefined;
}
