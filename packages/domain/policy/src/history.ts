import type { Cap, Policy } from './policy.js';

/** A contact that was decided. */
export interface Contact {
  readonly atMs: number;
  readonly channel: string;
}

/** The event that was handled when something was decided. */
export interface CauseEvent {
  readonly type: string;
  readonly name: string;
}

/** A decision that waits for the end of quiet hours. */
export interface PendingAction {
  readonly strategy: string;
  readonly causeId: string;
  /** For the condition, which is tested again: that the event happened stays true. */
  readonly event: CauseEvent | undefined;
  readonly causedAtMs: number;
  readonly dueAtMs: number;
  readonly expiresAtMs: number;
  readonly reasons: readonly string[];
}

/** What a profile has got and is about to get, as far as caps and cooldowns need it. Bounded in every part. */
export interface ContactHistory {
  /** In order of time; those that no cap looks at any more are dropped. */
  readonly contacts: readonly Contact[];
  /** When each strategy was last used, while its cooldown lasts. */
  readonly lastUsedAtMs: Readonly<Record<string, number>>;
  /** In order of due time. */
  readonly pending: readonly PendingAction[];
}

/** Contacts kept of a profile. Reaching it within the longest window of the policy's caps counts as a cap reached. */
export const CONTACTS_MAX = 64;
/** A profile's decisions that may wait for one end of quiet hours. */
export const PENDING_MAX = 4;

export const EMPTY_HISTORY: ContactHistory = { contacts: [], lastUsedAtMs: {}, pending: [] };

/** True when one more contact now would break the cap; `channel` undefined counts all channels. */
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

/** The history with one contact more, without what the policy no longer looks at. */
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

/** The history with other pending actions, in order of due time. */
export function withPending(history: ContactHistory, pending: readonly PendingAction[]): ContactHistory {
  return { ...history, pending: [...pending].sort((a, b) => a.dueAtMs - b.dueAtMs || a.causedAtMs - b.causedAtMs) };
}
