import { createRandomToken } from '@perennial/kernel';

const REQUEST_TIMEOUT_MS = 10_000;
const MINUTE_MS = 60_000;

/** Somebody who looks around without a name, signs in, and buys. */
export interface Visitor {
  readonly anonymousId: string;
  readonly userId: string;
  /** Events sent. */
  readonly sent: number;
}

/**
 * Sends a visitor's way to the first order: three product views with an anonymous id alone, an identify with both ids, an
 * order with the user id. Throws when the batch is not accepted.
 */
export async function sendVisitor({
  ingestUrl,
  writeKey,
  startMs,
}: {
  readonly ingestUrl: string;
  readonly writeKey: string;
  /** Event time of the first view. */
  readonly startMs: number;
}): Promise<Visitor> {
  const run = createRandomToken().slice(0, 6);
  const ids = { anonymousId: `browser-${run}`, userId: `visitor-${run}` };
  const batch = toVisitorEvents(ids).map((event, index) => ({
    ...event,
    messageId: `visitor-${run}-${index}`,
    timestamp: new Date(startMs + index * MINUTE_MS).toISOString(),
  }));
  const response = await fetch(new URL('/v1/batch', ingestUrl), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`,
    },
    body: JSON.stringify({ batch }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
  const answer = await response.text();
  if (response.status !== 200) throw new Error(`the visitor's events were answered ${response.status}: ${answer}`);
  return { ...ids, sent: batch.length };
}

function toVisitorEvents({ anonymousId, userId }: { anonymousId: string; userId: string }): object[] {
  const views = ['cd-17', 'cd-42', 'cd-99'].map((product_id) => ({
    type: 'track',
    anonymousId,
    event: 'Product Viewed',
    properties: { product_id, price: 14.99 },
  }));
  const product = { product_id: 'cd-42', quantity: 1, price: 14.99 };
  return [
    ...views,
    { type: 'identify', anonymousId, userId, traits: { newsletter: true, wishlist_size: 3 } },
    {
      type: 'track',
      anonymousId,
      userId,
      event: 'Order Completed',
      properties: { order_id: `order-of-${userId}`, revenue: 14.99, products: [product] },
    },
  ];
}
