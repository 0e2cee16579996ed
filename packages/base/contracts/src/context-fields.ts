/**
 * What of an event's `context` ingest carries in `event.accepted`, by group; '' for fields of the context itself. Fields that
 * say who or where somebody is (addresses, ids of devices, paths of pages) are not among them.
 */
export const CONTEXT_FIELDS: Readonly<Record<string, readonly string[]>> = {
  '': ['locale', 'channel'],
  app: ['name', 'version', 'build'],
  campaign: ['name', 'source', 'medium', 'term', 'content'],
  device: ['type', 'manufacturer', 'model'],
  os: ['name', 'version'],
  network: ['wifi', 'cellular'],
};

/** Longest text of a field that is carried; a longer one is left out. */
export const CONTEXT_TEXT_CHARS_MAX = 128;
