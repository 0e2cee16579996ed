import { toDeterministicId } from '@perennial/kernel';
import { BUILT_IN_PLACEHOLDERS } from './placeholder-ids.js';

/**
 * The message id of a CloudEvent: source and id together are unique (CloudEvents 1.0, "id"), so two sources may count from
 * 1 each. An event without a source keeps its id as it is, and so does a placeholder, which is none.
 */
export function toCloudEventMessageId({ source, id }: { readonly source: unknown; readonly id: unknown }): unknown {
  const text = typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : id;
  if (typeof text !== 'string' || text.trim() === '' || BUILT_IN_PLACEHOLDERS.has(text)) return id;
  return typeof source === 'string' && source !== '' ? `ce:${toDeterministicId(source, text)}` : id;
}
