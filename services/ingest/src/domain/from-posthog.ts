import { isJsonObject, type JsonObject } from './parse-properties.js';

/** Converts an item of PostHog's `/batch/` to the Segment shape; `normalise` rejects an item that is no object. */
export function fromPosthog(raw: unknown): unknown {
  if (!isJsonObject(raw)) return raw;
  const properties = isJsonObject(raw.properties) ? raw.properties : {};
  const common: JsonObject = {
    messageId: raw.uuid,
    userId: raw.distinct_id ?? properties.distinct_id,
    timestamp: raw.timestamp,
    context: { timezone: properties.$timezone },
  };
  switch (raw.event) {
    case '$identify':
      return {
        ...common,
        type: 'identify',
        anonymousId: properties.$anon_distinct_id,
        traits: raw.$set ?? properties.$set,
      };
    case '$create_alias':
      return { ...common, type: 'alias', previousId: properties.alias };
    case '$groupidentify':
      return { ...common, type: 'group', groupId: properties.$group_key, traits: properties.$group_set };
    case '$pageview':
      return { ...common, type: 'page', properties: raw.properties };
    case '$screen':
      return { ...common, type: 'screen', name: properties.$screen_name, properties: raw.properties };
    default:
      return { ...common, type: 'track', event: raw.event, properties: raw.properties };
  }
}
