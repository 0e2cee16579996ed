import { readField } from '@perennial/commerce';
import { type FeatureEvent, toEventAmount } from '@perennial/feature-engine';

/** Events kept for each of a sequence: as many may be taken back, and those before them are in their place. */
const SPARE_SHARE = 2;

/** An event as a recurrent model reads it. */
export interface SequenceEvent {
  readonly messageId: string;
  readonly timestampMs: number;
  /** Name of a track event, of others the type. */
  readonly label: string;
  readonly itemIds: readonly string[];
  /** What an order or refund is worth in the namespace's currency. */
  readonly value: number | null;
}

export function toSequenceEvent(event: FeatureEvent): SequenceEvent {
  const { messageId, timestampMs, type, name, properties } = event;
  return {
    messageId,
    timestampMs,
    label: type === 'track' && name !== '' ? name : type,
    itemIds: toItemIds(properties),
    value: toEventAmount(event) ?? null,
  };
}

/** Adds an event in order of time, after those of the same time, and keeps what `toLast` of the same `length` may need. */
export function addToSequence(sequence: SequenceEvent[], event: SequenceEvent, length: number): void {
  let place = sequence.length;
  while (place > 0 && (sequence[place - 1]?.timestampMs ?? 0) > event.timestampMs) place -= 1;
  sequence.splice(place, 0, event);
  if (sequence.length > SPARE_SHARE * length) sequence.shift();
}

/** An event that was taken back is in no sequence from then on. */
export function removeFromSequence(sequence: SequenceEvent[], messageId: string): void {
  const place = sequence.findIndex((event) => event.messageId === messageId);
  if (place >= 0) sequence.splice(place, 1);
}

/** The last `length` events. */
export function toLast(sequence: readonly SequenceEvent[], length: number): readonly SequenceEvent[] {
  return length === 0 ? [] : sequence.slice(-length);
}

/** Ids of an event's products, else its own: the fields are those of the features about products. */
function toItemIds(properties: unknown): readonly string[] {
  const products = readField(properties, 'products');
  const ids = (Array.isArray(products) && products.length > 0 ? products : [properties]).map(toItemId);
  return ids.filter((id) => id !== undefined);
}

function toItemId(product: unknown): string | undefined {
  for (const field of ['product_id', 'sku']) {
    const id = readField(product, field);
    if (typeof id === 'number') return String(id);
    if (typeof id === 'string' && id.trim() !== '') return id.trim();
  }
  return undefined;
}
