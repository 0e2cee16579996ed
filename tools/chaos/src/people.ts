import type { AcceptedEvent, AcceptedRecord } from '@perennial/contracts';

/** A record of `event.accepted` that could be decoded. */
export interface AcceptedEntry {
  /** Of the Kafka record. */
  readonly key: string;
  /** Where the processor that wrote it read its cause; undefined for what ingest wrote. */
  readonly position: string | undefined;
  readonly record: NonNullable<AcceptedRecord['record']>;
}

/** One person as the log says, whatever the platform made of it. */
export interface Person {
  /** Key of the id that addresses it: a user's before a device's, then the smaller one. */
  readonly root: string;
  readonly keys: readonly string[];
  /** Of its events, each once. */
  readonly messageIds: ReadonlySet<string>;
  /** The keys of its own events, joins left aside. */
  readonly activeKeys: ReadonlySet<string>;
  readonly orders: number;
  /** In whole cents: sums of them are exact. */
  readonly revenueCents: number;
}

/** What joining cost, for the report; records that were published again are counted once. */
export interface JoinFigures {
  /** People with events. */
  readonly total: number;
  /** People with more than one id that had events, and those ids. */
  readonly people: number;
  readonly ids: number;
  readonly links: number;
  readonly joins: number;
  readonly handOvers: number;
  readonly forwardedEvents: number;
}

export interface People {
  readonly people: readonly Person[];
  readonly personOf: ReadonlyMap<string, Person>;
  /** What the log itself shows to be wrong. */
  readonly problems: readonly string[];
  readonly figures: JoinFigures;
}

/**
 * Who is whom by the rules of ADR 26, counted anew from the accepted events, with none of the platform's code: aliases join
 * users, a device belongs to the first one whose `join` is in its log. The entries are in the order of their partitions.
 */
export function recountPeople(entries: readonly AcceptedEntry[]): People {
  const recount = new Recount();
  for (const entry of entries) recount.take(entry);
  return recount.finish();
}

class Recount {
  readonly #groups = new Groups();
  readonly #users = new Set<string>();
  readonly #events = new Map<string, Map<string, AcceptedEvent>>();
  /** Who named a device, and who was the first to ask it. */
  readonly #claims = new Map<string, Set<string>>();
  readonly #owners = new Map<string, string>();
  readonly #written = new Map<string, Set<string>>();
  readonly #problems: string[] = [];

  take({ key, position = '', record }: AcceptedEntry): void {
    switch (record.$case) {
      case 'event':
        if (record.value.forwardedTo === undefined) this.#takeEvent(key, record.value);
        else this.#note('forwarded', position);
        return;
      case 'join': {
        this.#note('join', position);
        const target = record.value.target?.key;
        if (target !== undefined && !this.#owners.has(key)) this.#owners.set(key, target);
        return;
      }
      case 'link':
      case 'handOver':
        this.#note(record.$case, position);
    }
  }

  finish(): People {
    for (const [device, claims] of this.#claims) this.#settleDevice(device, claims);
    const people = this.#groups.list().map((keys) => this.#toPerson(keys));
    const joined = people.filter(({ activeKeys }) => activeKeys.size > 1);
    const count = (kind: string) => this.#written.get(kind)?.size ?? 0;
    return {
      people,
      personOf: new Map(people.flatMap((person) => person.keys.map((key) => [key, person] as const))),
      problems: this.#problems,
      figures: {
        total: people.length,
        people: joined.length,
        ids: joined.reduce((sum, { activeKeys }) => sum + activeKeys.size, 0),
        links: count('link'),
        joins: count('join'),
        handOvers: count('handOver'),
        forwardedEvents: count('forwarded'),
      },
    };
  }

  #takeEvent(key: string, event: AcceptedEvent): void {
    this.#groups.add(key);
    if (!event.anonymous) this.#users.add(key);
    const own = this.#events.get(key) ?? new Map<string, AcceptedEvent>();
    this.#events.set(key, own.set(event.messageId, event));
    for (const { profile, alias } of event.namedIds) {
      if (profile === undefined) continue;
      if (alias) {
        this.#users.add(profile.key);
        this.#groups.join(key, profile.key);
      } else {
        this.#groups.add(profile.key);
        this.#claims.set(profile.key, (this.#claims.get(profile.key) ?? new Set()).add(key));
      }
    }
  }

  #settleDevice(device: string, claims: ReadonlySet<string>): void {
    const owner = this.#owners.get(device);
    if (owner === undefined) {
      this.#problems.push(`nobody asked the device ${device}, which ${[...claims].join(', ')} named`);
      return;
    }
    const isNamed = [...claims].some((claim) => this.#groups.find(claim) === this.#groups.find(owner));
    if (isNamed) this.#groups.join(device, owner);
    else this.#problems.push(`the device ${device} belongs to ${owner}, who did not name it`);
  }

  #toPerson(keys: readonly string[]): Person {
    const users = keys.filter((key) => this.#users.has(key));
    const [root = ''] = (users.length > 0 ? users : [...keys]).sort();
    const events = new Map(keys.flatMap((key) => [...(this.#events.get(key) ?? [])]));
    const orders = [...events.values()].filter(({ type, name }) => type === 'track' && name === 'Order Completed');
    return {
      root,
      keys,
      messageIds: new Set(events.keys()),
      activeKeys: new Set(keys.filter((key) => this.#events.has(key))),
      orders: orders.length,
      revenueCents: orders.reduce((sum, { amount = 0 }) => sum + Math.round(amount * 100), 0),
    };
  }

  #note(kind: string, position: string): void {
    this.#written.set(kind, (this.#written.get(kind) ?? new Set()).add(position));
  }
}

/** Disjoint sets of keys. */
class Groups {
  readonly #parents = new Map<string, string>();

  add(key: string): void {
    if (!this.#parents.has(key)) this.#parents.set(key, key);
  }

  join(a: string, b: string): void {
    this.#parents.set(this.find(a), this.find(b));
  }

  find(key: string): string {
    this.add(key);
    let root = key;
    for (let next = this.#parents.get(root); next !== root && next !== undefined; next = this.#parents.get(root))
      root = next;
    this.#parents.set(key, root);
    return root;
  }

  list(): string[][] {
    const lists = new Map<string, string[]>();
    for (const key of [...this.#parents.keys()]) {
      const root = this.find(key);
      lists.set(root, [...(lists.get(root) ?? []), key]);
    }
    return [...lists.values()];
  }
}
