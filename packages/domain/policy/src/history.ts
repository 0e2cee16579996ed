import type { Cap, Policy } from './policy.js';

/** A contact that was decided on. */
export interface Contact {
  readonly atMs: number;
  readonly channel: string;
}

/** The event that was being processed at the decision. */
export interface CauseEvent {
  readonly type: string;
  readonly name: string;
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
}

/** A profile's contacts and pending actions, as far as caps and cooldowns need them. Every part is bounded. */
export interface ContactHistory {
  /** In order of time; contacts outside every cap's window are dropped. */
  readonly contacts: readonly Contact[];
  /** When each strategy was last used, while its cooldown lasts. */
  readonly lastUsedAtMs: Readonly<Record<string, number>>;
  /** In order of due time. */
  readonly pending: readonly PendingAction[];
}

/** Maximum contacts kept per profile. Reaching it within the policy's longest cap window counts as a cap reached. */
export const CONTACTS_MAX = 64;
/** Maximum decisions of a profile that may wait for the end of quiet hours. */
export const PENDING_MAX = 4;

export const EMPTY_HISTORY: ContactHistory = { contacts: [], lastUsedAtMs: {}, pending: [] };

/** True when one more contact now would exceed the cap; `channel` undefined counts all channels. */
export function isCapReached(
  history: ContactHistory,
  cap: Cap,
  options: { nowMs: number; channel: string | undefined },
): boolean {
  let count = 0;
  for (const contact of history.contacts) {
    if (contact.atMs <= options.nowMs - cap.windowMs) continue;
    if (options.channel === undefined || contact.channel === options.channel) count++;
  }
  return count >= cap.max;
}

/** The history with one more contact, without entries that the policy no longer needs. */
export function addContact(
  history: ContactHistory,
  policy: Policy,
  contact: Contact & { readonly strategy: string },
): ContactHistory {
  const contacts = history.contacts.filter(({ atMs }) => atMs > contact.atMs - policy.contactWindowMs);
  contacts.push({ atMs: contact.atMs, channel: contact.channel });
  const lastUsedAtMs: Record<string, number> = {};
  for (const [name, atMs] of Object.entries(history.lastUsedAtMs)) {
    const cooldownMs = policy.strategies.get(name)?.cooldownMs ?? 0;
    if (atMs > contact.atMs - cooldownMs) lastUsedAtMs[name] = atMs;
  }
  lastUsedAtMs[contact.strategy] = contact.atMs;
  return { contacts: contacts.slice(-CONTACTS_MAX), lastUsedAtMs, pending: history.pending };
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
  return { contacts: contacts.slice(-CONTACTS_MAX), lastUsedAtMs, pending: staying.pending };
}

/** Whatever the order in which profiles join, the result has the same bytes. */
function compare(a: Contact, b: Contact): number {
  return a.channel < b.channel ? -1 : Number(a.channel > b.channel);
}

/** The history with other pending actions, in order of due time. */
export function withPending(history: ContactHistory, pending: readonly PendingAction[]): ContactHistory {
  return { ...history, pending: [...pending].sort((a, b) => a.dueAtMs - b.dueAtMs || a.causedAtMs - b.causedAtMs) };
}
