import type { Cap, Policy } from './policy.js';

/** A contact that was decided on. */
export interface Contact {
  readonly atMs: number;
  readonly channel: string;
  /** Absent of contacts made by releases that did not keep it. */
  readonly strategy?: string | undefined;
  readonly category?: string | undefined;
}

/** The event that was being processed at the decision. */
export interface CauseEvent {
  readonly type: string;
  readonly name: string;
}

/** The option that a strategy was decided with. */
export interface ChosenOption {
  readonly name: string;
  /** Probability of its choice among those that were open then, in (0, 1]. */
  readonly propensity: number;
}

/** A decision that waits for the end of quiet hours. */
export interface PendingAction {
  readonly strategy: string;
  readonly causeId: string;
  /** For the condition, which is tested again: the event itself does not change. */
  readonly event: CauseEvent | undefined;
  readonly causedAtMs: number;
  readonly dueAtMs: number;
  readonly expiresAtMs: number;
  readonly reasons: readonly string[];
  /** Of a strategy with options; it is kept while it waits. */
  readonly option?: ChosenOption | undefined;
}

/** A profile's contacts and pending actions, as far as caps and cooldowns need them. Every part is bounded. */
export interface ContactHistory {
  /** In order of time; contacts outside every cap's window are dropped. */
  readonly contacts: readonly Contact[];
  /** When each strategy was last used, while its cooldown lasts. */
  readonly lastUsedAtMs: Readonly<Record<string, number>>;
  /** In order of due time. */
  readonly pending: readonly PendingAction[];
  /** Absent while there are none. */
  readonly signals?: Signals | undefined;
}

/** What events left behind, as far as the policy asks for it. */
interface Signals {
  /** When each watched event last came. */
  readonly eventsAtMs: Readonly<Record<string, number>>;
  /** Grants that are not spent yet, by channel; at most `GRANTS_MAX` each. */
  readonly grants: Readonly<Record<string, number>>;
}

/** Maximum contacts kept per profile. Reaching it within the policy's longest cap window counts as a cap reached. */
export const CONTACTS_MAX = 64;
/** Maximum decisions of a profile that may wait for the end of quiet hours. */
export const PENDING_MAX = 4;

/** Maximum grants kept by channel. */
const GRANTS_MAX = 99;

export const EMPTY_HISTORY: ContactHistory = { contacts: [], lastUsedAtMs: {}, pending: [] };

const ANY: Counted = {};

/** The contacts in a window that a cap counts; each name that is left out counts for any. */
interface Counted {
  readonly channel?: string;
  readonly strategy?: string;
  readonly category?: string | undefined;
}

/** True when one more contact now would exceed one of the caps. */
export function isCapReached(
  history: ContactHistory,
  caps: readonly Cap[],
  nowMs: number,
  counted: Counted = ANY,
): boolean {
  for (const { max, windowMs } of caps) {
    if (countContacts(history, nowMs - windowMs, counted) >= max) return true;
  }
  return false;
}

/** Contacts after an instant. */
export function countContacts(history: ContactHistory, afterMs: number, counted: Counted = ANY): number {
  const { channel, strategy, category } = counted;
  let count = 0;
  for (const contact of history.contacts) {
    if (contact.atMs <= afterMs) continue;
    if (channel !== undefined && contact.channel !== channel) continue;
    if (strategy !== undefined && contact.strategy !== strategy) continue;
    if (category !== undefined && contact.category !== category) continue;
    count++;
  }
  return count;
}

/** The history with one more contact, without entries that the policy no longer needs; it spends a grant, if one is needed. */
export function addContact(
  history: ContactHistory,
  policy: Policy,
  contact: Contact & { readonly strategy: string },
): ContactHistory {
  const contacts = history.contacts.filter(({ atMs }) => atMs > contact.atMs - policy.contactWindowMs);
  contacts.push(contact);
  const { lastUsedAtMs } = withUse(history, policy, contact);
  const after = { contacts: contacts.slice(-CONTACTS_MAX), lastUsedAtMs, pending: history.pending };
  if (history.signals === undefined) return after;
  const { grants } = history.signals;
  const granted = Object.hasOwn(grants, contact.channel) ? (grants[contact.channel] ?? 0) : 0;
  const needsGrant = policy.channels.get(contact.channel)?.permission.grantedBy !== undefined;
  if (granted === 0 || !needsGrant) return withSignals(after, history.signals);
  return withSignals(after, { ...history.signals, grants: { ...grants, [contact.channel]: granted - 1 } });
}

/** The history with one more use of a strategy, without those whose cooldown is over. */
export function withUse(
  history: ContactHistory,
  policy: Policy,
  use: { readonly strategy: string; readonly atMs: number },
): ContactHistory {
  const lastUsedAtMs: Record<string, number> = {};
  for (const [name, atMs] of Object.entries(history.lastUsedAtMs)) {
    const cooldownMs = policy.strategies.get(name)?.cooldownMs ?? 0;
    if (atMs > use.atMs - cooldownMs) lastUsedAtMs[name] = atMs;
  }
  lastUsedAtMs[use.strategy] = use.atMs;
  return { ...history, lastUsedAtMs };
}

/** The history with a contact that another system made: caps count it, cooldowns do not. The same object for one that it has. */
export function addOutsideContact(history: ContactHistory, contact: Contact): ContactHistory {
  const { atMs, channel, strategy } = contact;
  const isKnown = history.contacts.some(
    (known) => known.atMs === atMs && known.channel === channel && known.strategy === strategy,
  );
  if (isKnown) return history;
  const contacts = [...history.contacts, contact].sort((a, b) => a.atMs - b.atMs || compare(a, b));
  return { ...history, contacts: contacts.slice(-CONTACTS_MAX) };
}

/** The history without the waiting actions for which there is a reason, and those. */
export function dropPending(
  history: ContactHistory,
  isDropped: (pending: PendingAction) => boolean,
): { readonly history: ContactHistory; readonly dropped: readonly PendingAction[] } {
  const dropped = history.pending.filter(isDropped);
  if (dropped.length === 0) return { history, dropped };
  return { history: { ...history, pending: history.pending.filter((pending) => !dropped.includes(pending)) }, dropped };
}

/** The history after an event that the policy watches; the same object for any other. */
export function takeEvent(
  history: ContactHistory,
  policy: Policy,
  event: { readonly name: string; readonly atMs: number },
): ContactHistory {
  const watched = policy.watched.get(event.name);
  if (watched === undefined) return history;
  const eventsAtMs: [string, number][] = Object.entries(history.signals?.eventsAtMs ?? {}).filter(
    ([name, atMs]) => name !== event.name && atMs > event.atMs - (policy.watched.get(name)?.keepMs ?? 0),
  );
  if (watched.keepMs > 0) eventsAtMs.push([event.name, event.atMs]);
  const grants = { ...history.signals?.grants };
  for (const channel of watched.grants) grants[channel] = Math.min((grants[channel] ?? 0) + 1, GRANTS_MAX);
  return withSignals(history, { eventsAtMs: Object.fromEntries(eventsAtMs.sort(byName)), grants });
}

/** When a watched event last came. */
export function findEventAtMs({ signals }: ContactHistory, name: string): number | undefined {
  return signals !== undefined && Object.hasOwn(signals.eventsAtMs, name) ? signals.eventsAtMs[name] : undefined;
}

/** The history with these signals; without any, where they are empty. */
function withSignals(history: ContactHistory, signals: Signals | undefined): ContactHistory {
  const { contacts, lastUsedAtMs, pending } = history;
  if (signals === undefined) return { contacts, lastUsedAtMs, pending };
  const grants = Object.fromEntries(
    Object.entries(signals.grants)
      .filter(([, count]) => count > 0)
      .sort(byName),
  );
  const isEmpty = Object.keys(grants).length === 0 && Object.keys(signals.eventsAtMs).length === 0;
  const kept = { eventsAtMs: signals.eventsAtMs, grants };
  return isEmpty ? { contacts, lastUsedAtMs, pending } : { contacts, lastUsedAtMs, pending, signals: kept };
}

function byName([a]: readonly [string, number], [b]: readonly [string, number]): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * The contacts of two profiles that turned out to be one person: caps and cooldowns hold for both together. What waits is
 * that of the first, which stays: the other one is addressed no more.
 */
export function mergeContacts(staying: ContactHistory, joined: ContactHistory): ContactHistory {
  const contacts = [...staying.contacts, ...joined.contacts].sort((a, b) => a.atMs - b.atMs || compare(a, b));
  const lastUsedAtMs: Record<string, number> = { ...staying.lastUsedAtMs };
  for (const [name, atMs] of Object.entries(joined.lastUsedAtMs)) {
    lastUsedAtMs[name] = Math.max(atMs, lastUsedAtMs[name] ?? atMs);
  }
  const merged = { contacts: contacts.slice(-CONTACTS_MAX), lastUsedAtMs, pending: staying.pending };
  return withSignals(merged, mergeSignals(staying.signals, joined.signals));
}

/** The later of two times, since what follows an event lasts from its last one on; grants are added up. */
function mergeSignals(staying: Signals | undefined, joined: Signals | undefined): Signals | undefined {
  if (staying === undefined || joined === undefined) return staying ?? joined;
  const combine = (
    a: Readonly<Record<string, number>>,
    b: Readonly<Record<string, number>>,
    choose: (x: number, y: number) => number,
  ): Record<string, number> => {
    const combined = new Map(Object.entries(a));
    for (const [name, value] of Object.entries(b)) combined.set(name, choose(value, combined.get(name) ?? 0));
    return Object.fromEntries([...combined].sort(byName));
  };
  return {
    eventsAtMs: combine(staying.eventsAtMs, joined.eventsAtMs, Math.max),
    grants: combine(staying.grants, joined.grants, (x, y) => Math.min(x + y, GRANTS_MAX)),
  };
}

/** Without its grants: what a profile leaves behind that handed them over, lest they be spent twice. */
export function withoutGrants(history: ContactHistory): ContactHistory {
  return withSignals(history, history.signals && { ...history.signals, grants: {} });
}

/** Whatever the order in which profiles join, the result has the same bytes. */
function compare(a: Contact, b: Contact): number {
  return (
    compareText(a.channel, b.channel) ||
    compareText(a.strategy ?? '', b.strategy ?? '') ||
    compareText(a.category ?? '', b.category ?? '')
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The history with other pending actions, in order of due time. */
export function withPending(history: ContactHistory, pending: readonly PendingAction[]): ContactHistory {
  return { ...history, pending: [...pending].sort((a, b) => a.dueAtMs - b.dueAtMs || a.causedAtMs - b.causedAtMs) };
}
