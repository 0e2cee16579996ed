import type { Expected, Person } from './draw-event.js';

/** What a person's accepted events come to. */
export interface Count {
  readonly events: number;
  readonly orders: number;
  readonly revenue: number;
}

interface Known {
  readonly messages: Set<string>;
  readonly orders: Set<string>;
  events: number;
  ordersCount: number;
  revenue: number;
}

/** Counts accepted events by the rules of the docs, and shares no code with the platform: a message once, an order once. */
export class OrderCount {
  readonly #people = new Map<string, Known>();

  add(expected: Extract<Expected, { kind: 'accepted' }>): void {
    const known = this.#of(expected.person);
    if (known.messages.has(expected.messageId)) return;
    const { order } = expected;
    if (order?.id !== undefined && known.orders.has(order.id)) return;
    if (order?.id !== undefined) known.orders.add(order.id);
    known.messages.add(expected.messageId);
    known.events++;
    if (order === undefined) return;
    known.ordersCount++;
    known.revenue += order.worth;
  }

  entries(): ReadonlyArray<readonly [Person, Count]> {
    return [...this.#people].map(([key, { events, ordersCount, revenue }]) => [
      JSON.parse(key) as Person,
      { events, orders: ordersCount, revenue },
    ]);
  }

  #of(person: Person): Known {
    const key = JSON.stringify(person);
    const known = this.#people.get(key) ?? {
      messages: new Set<string>(),
      orders: new Set<string>(),
      events: 0,
      ordersCount: 0,
      revenue: 0,
    };
    this.#people.set(key, known);
    return known;
  }
}
