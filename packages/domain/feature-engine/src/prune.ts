import { dropProductsBefore } from './product-sketch.js';
import { dropOlder, filterEntries, type StampedHashes } from './stamped-hashes.js';
import { type EngineState, MESSAGE_IDS_MAX, toReach } from './state.js';
import { dropTilesBefore } from './tiles.js';

/**
 * Drops what no window can reach any more at the state's own time, and message ids that are old or too many. Every
 * function ends with it, so a state is a function of its events and its time, not of when somebody tidied up.
 */
export function pruneState(state: EngineState): EngineState {
  const reach = toReach(state.asOfMs);
  const remembered = dropOlder(state.messages, reach.messageHour);
  const messages = limitMessages(remembered);
  const hours = dropTilesBefore(state.hours, reach.hour);
  const days = dropTilesBefore(state.days, reach.day);
  const products = dropProductsBefore(state.products, reach.productDay);
  if (messages === state.messages && hours === state.hours && days === state.days && products === state.products) {
    return state;
  }
  const messagesDropped = state.messagesDropped + remembered.stamps.length - messages.stamps.length;
  return { ...state, hours, days, products, messages, messagesDropped };
}

/** The newest hours' ids as far as the bound allows; within the hour that straddles it the smallest hashes stay. */
function limitMessages(messages: StampedHashes): StampedHashes {
  const excess = messages.stamps.length - MESSAGE_IDS_MAX;
  if (excess <= 0) return messages;
  if (excess === 1) {
    // One event more than fits, the case of every event of a profile at its limit: a scan instead of a sort.
    const last = messages.stamps.lastIndexOf(messages.oldest);
    return filterEntries(messages, (_stamp, index) => index !== last);
  }
  const places = Array.from(messages.stamps.keys());
  places.sort((a, b) => (messages.stamps[a] as number) - (messages.stamps[b] as number) || b - a);
  const dropped = new Set(places.slice(0, excess));
  return filterEntries(messages, (_stamp, index) => !dropped.has(index));
}
