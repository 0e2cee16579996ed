import { type AcceptedEvent, type AcceptedRecord, isBehaviour, type Unmerge } from '@perennial/contracts';

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
  /** Of its events, each once; without those that were taken back. */
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
  /** Unmerges that were asked for, and those that were done; the others found nothing to part. */
  readonly unmerges: number;
  readonly parted: number;
  /** Events that were taken back. */
  readonly retracted: number;
}

export interface People {
  readonly people: readonly Person[];
  readonly personOf: ReadonlyMap<string, Person>;
  /** What the log itself shows to be wrong. */
  readonly problems: readonly string[];
  readonly figures: JoinFigures;
}

/**
 * Who is whom by the rules of ADR 26 and 35, counted anew from the accepted events, with none of the platform's code: aliases
 * join users, a device or an id of another kind belongs to the first one whose `join` is in its log, who must be connected with
 * it by what was said. What was parted (ADR 28) stays so, and a device that was, belongs to the next one that asks it. The
 * entries are in the order of their partitions.
 */
export function recountPeople(entries: readonly AcceptedEntry[]): People {
  const recount = new Recount();
  for (const entry of entries) recount.take(entry);
  return recount.finish();
}

/** Of ids that events are keyed by and that are no users'. */
const DEVICE_STRENGTH = 16;

class Recount {
  readonly #groups = new Groups();
  readonly #users = new Set<string>();
  readonly #events = new Map<string, Map<string, AcceptedEvent>>();
  /** Who named a device or another id beside his own, or was named by it, both ways; and who was the first to ask it. */
  readonly #named = new Map<string, Set<string>>();
  readonly #strengths = new Map<string, number>();
  readonly #owners = new Map<string, string>();
  readonly #written = new Map<string, Set<string>>();
  readonly #aliases: Array<readonly [string, string]> = [];
  /** Keys that were parted from each key. */
  readonly #apart = new Map<string, Set<string>>();
  readonly #unmerges: Unmerges = { asked: new Set(), left: new Set(), done: new Set(), vain: new Set() };
  readonly #positions = new Set<string>();
  /** Message ids of events that were taken back; no two profiles have one of the same id. */
  readonly #retracted = new Set<string>();
  readonly #problems: string[] = [];

  take({ key, position = '', record }: AcceptedEntry): void {
    // Published again: it changes nothing.
    if (this.#positions.has(position)) return;
    if (position !== '') this.#positions.add(position);
    switch (record.$case) {
      case 'event':
        if (record.value.forwardedTo === undefined) this.#takeEvent(key, record.value);
        else this.#note('forwarded', position);
        return;
      case 'join': {
        this.#note('join', position);
        const target = record.value.target?.key;
        if (target === undefined || this.#owners.has(key) || this.#isApart(key, target)) return;
        this.#owners.set(key, target);
        return;
      }
      case 'identityChange':
        if (record.value.kind === 'unmerge') this.#unmerges.asked.add(record.value.id);
        return;
      case 'unmerge':
        this.#takeUnmerge(key, record.value);
        return;
      case 'retraction':
        this.#retracted.add(record.value.messageId);
        return;
      case 'link':
      case 'handOver':
        this.#note(record.$case, position);
    }
  }

  finish(): People {
    for (const [user, previous] of this.#aliases) if (!this.#isApart(user, previous)) this.#groups.join(user, previous);
    this.#checkUnmerges();
    for (const key of this.#named.keys()) if (!this.#users.has(key)) this.#settleOther(key);
    const people = this.#groups.list().map((keys) => this.#toPerson(keys));
    const joined = people.filter(({ activeKeys }) => activeKeys.size > 1);
    const count = (kind: string) => this.#written.get(kind)?.size ?? 0;
    return {
      people,
      personOf: new Map(people.flatMap((person) => person.keys.map((key) => [key, person] as const))),
      problems: this.#problems,
      figures: {
        // One that was only named, and parted from who named it, is a profile to nobody.
        total: people.filter(({ messageIds }) => messageIds.size > 0).length,
        people: joined.length,
        ids: joined.reduce((sum, { activeKeys }) => sum + activeKeys.size, 0),
        links: count('link'),
        joins: count('join'),
        handOvers: count('handOver'),
        forwardedEvents: count('forwarded'),
        unmerges: this.#unmerges.asked.size,
        parted: this.#unmerges.done.size,
        retracted: this.#retracted.size,
      },
    };
  }

  #takeEvent(key: string, event: AcceptedEvent): void {
    // What other systems report of somebody is no event of his, and makes him nobody.
    if (!isBehaviour(event.type)) return;
    this.#groups.add(key);
    if (!event.anonymous) this.#users.add(key);
    const own = this.#events.get(key) ?? new Map<string, AcceptedEvent>();
    this.#events.set(key, own.set(event.messageId, event));
    for (const { profile, alias } of event.namedIds) {
      if (profile === undefined) continue;
      if (alias) {
        this.#users.add(profile.key);
        this.#groups.add(profile.key);
        this.#aliases.push([key, profile.key]);
      } else {
        this.#groups.add(profile.key);
        this.#strengths.set(profile.key, profile.strength);
        this.#named.set(profile.key, (this.#named.get(profile.key) ?? new Set()).add(key));
        this.#named.set(key, (this.#named.get(key) ?? new Set()).add(profile.key));
      }
    }
  }

  #takeUnmerge(key: string, { step, number, other, reason }: Unmerge): void {
    const { left, done, vain } = this.#unmerges;
    if (step === 'done') done.add(number);
    if (step === 'not_joined') vain.add(number);
    // No fault damages the archive.
    if (step === 'failed') this.#problems.push(`unmerge ${number} failed: ${reason}`);
    if (step !== 'left') return;
    left.add(number);
    for (const [one, two] of [
      [key, other],
      [other, key],
    ] as const)
      this.#apart.set(one, (this.#apart.get(one) ?? new Set()).add(two));
    const owner = this.#owners.get(key);
    if (owner !== other) this.#problems.push(`${key} left ${other}, and belonged to ${owner}`);
    this.#owners.delete(key);
  }

  #isApart(one: string, two: string): boolean {
    return this.#apart.get(one)?.has(two) ?? false;
  }

  #checkUnmerges(): void {
    const { asked, left, done, vain } = this.#unmerges;
    if (asked.size !== done.size + vain.size)
      this.#problems.push(`of ${asked.size} unmerges ${done.size} were done and ${vain.size} in vain`);
    for (const number of new Set([...left, ...done]))
      if (!left.has(number) || !done.has(number)) this.#problems.push(`unmerge ${number} was left half done`);
  }

  #settleOther(key: string): void {
    const near = this.#findConnected(key);
    const users = near.filter((one) => this.#users.has(one));
    const owner = this.#owners.get(key);
    if (owner === undefined) {
      // It was parted, and nobody has asked it since; or it is the strongest of those that no user is connected with.
      if (this.#apart.has(key) || (users.length === 0 && near.every((one) => !this.#isStronger(one, key)))) return;
      this.#problems.push(`nobody asked ${key}, which is connected with ${near.join(', ')}`);
      return;
    }
    // Of two users that were parted the one that is left keeps it, whoever of both had named it.
    const isNamed = near.some(
      (one) => this.#groups.find(one) === this.#groups.find(owner) || this.#isApart(one, owner),
    );
    if (isNamed) this.#groups.join(key, owner);
    else this.#problems.push(`${key} belongs to ${owner}, who did not name it`);
  }

  /** What is connected with an id by what was said; ways end at users, of whom each is a person of his own. */
  #findConnected(key: string): string[] {
    const found = new Set([key]);
    for (const one of found) {
      if (one !== key && this.#users.has(one)) continue;
      for (const other of this.#named.get(one) ?? []) found.add(other);
    }
    found.delete(key);
    return [...found];
  }

  #isStronger(a: string, b: string): boolean {
    const [strength, other] = [a, b].map((key) => this.#strengths.get(key) ?? DEVICE_STRENGTH) as [number, number];
    return strength === other ? a < b : strength > other;
  }

  #toPerson(keys: readonly string[]): Person {
    const users = keys.filter((key) => this.#users.has(key));
    const [root = ''] = users.length > 0 ? users.sort() : keys.toSorted((a, b) => (this.#isStronger(a, b) ? -1 : 1));
    const all = new Map(keys.flatMap((key) => [...(this.#events.get(key) ?? [])]));
    const events = new Map([...all].filter(([messageId]) => !this.#retracted.has(messageId)));
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

interface Unmerges {
  /** Ids of the changes. */
  readonly asked: Set<string>;
  /** Numbers of those that that were reported to the key which leaves, that were done, and that found nothing to part. */
  readonly left: Set<number>;
  readonly done: Set<number>;
  readonly vain: Set<number>;
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
