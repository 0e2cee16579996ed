import type { ProfileRef } from './profile-ref.js';

/*
 * The changes that people ask for, one after the other: merges and unmerges of profiles. They are numbered by the one
 * key that takes them, so that number, order and result are in the log and in a state like any other.
 */

/** The key that takes changes: no pseudonym is equal to it. */
export const LEDGER_KEY = 'identity-ledger';

/** Changes that the ledger's state keeps; older ones are in the archive. */
const ENTRIES_MAX = 200;

export interface IdentityChange {
  /** Made up by who asks: the same again changes nothing. */
  readonly id: string;
  readonly kind: 'merge' | 'unmerge';
  /** Of both the one that joins, or leaves. */
  readonly weaker: ProfileRef;
  readonly stronger: ProfileRef;
  readonly by: string;
  readonly reason: string;
  /** By the clock of who asks, ms. */
  readonly atMs: number;
}

/** `not_joined`: there was nothing to part. `failed`: the archive cannot part them; all is as it was. */
export type ChangeState = 'waiting' | 'running' | 'done' | 'not_joined' | 'failed';

export interface LedgerEntry {
  readonly number: number;
  readonly change: IdentityChange;
  readonly state: ChangeState;
  /** Of an unmerge: how often it has begun. */
  readonly attempt: number;
  /** Log time of the state, ms. */
  readonly atMs: number;
  /** Why it failed. */
  readonly reason?: string | undefined;
}

export interface LedgerNode {
  readonly kind: 'ledger';
  /** Of the newest change, counted from 1. */
  readonly number: number;
  /** The newest ones and all that are not done, oldest first. */
  readonly entries: readonly LedgerEntry[];
  /** Hash of the document of the newest unmerge that is done; '' before the first. */
  readonly document: string;
}

const EMPTY_LEDGER: LedgerNode = { kind: 'ledger', number: 0, entries: [], document: '' };

/** What the ledger sends: a merge at once, one unmerge at a time. */
type LedgerSent =
  | { readonly kind: 'merge'; readonly number: number; readonly change: IdentityChange }
  | { readonly kind: 'begin'; readonly number: number; readonly attempt: number; readonly change: IdentityChange };

export interface LedgerResult {
  /** The same object when nothing changed. */
  readonly node: LedgerNode;
  readonly sent: readonly LedgerSent[];
}

/** A change that somebody asks for. Throws when there is no room for another one. */
export function takeChange(
  node: LedgerNode | undefined,
  { change, atMs }: { readonly change: IdentityChange; readonly atMs: number },
): LedgerResult {
  const before = node ?? EMPTY_LEDGER;
  if (before.entries.some((entry) => entry.change.id === change.id)) return { node: before, sent: [] };
  if (before.entries.filter(isOpen).length >= ENTRIES_MAX) {
    throw new Error(`${ENTRIES_MAX} changes of identities wait already`);
  }
  const number = before.number + 1;
  const isMerge = change.kind === 'merge';
  const entry: LedgerEntry = { number, change, state: isMerge ? 'done' : 'waiting', attempt: 0, atMs };
  const added = { ...before, number, entries: [...before.entries, entry] };
  const begun = beginNext(added, atMs);
  const merge: LedgerSent[] = isMerge ? [{ kind: 'merge', number, change }] : [];
  return { node: prune(begun.node), sent: [...merge, ...begun.sent] };
}

/** What came of the unmerge that is running. One that was interrupted begins again. */
export function takeResult(
  node: LedgerNode | undefined,
  result: {
    readonly number: number;
    readonly attempt: number;
    readonly state: 'done' | 'not_joined' | 'interrupted' | 'failed';
    readonly hash: string;
    readonly atMs: number;
    readonly reason?: string | undefined;
  },
): LedgerResult {
  const before = node ?? EMPTY_LEDGER;
  const { number, attempt, state, hash, atMs, reason } = result;
  const entry = before.entries.find((one) => one.number === number);
  // What an earlier attempt has parted is parted: the one after it finds nothing to part.
  const isOfAttempt = state === 'done' ? attempt <= (entry?.attempt ?? 0) : attempt === entry?.attempt;
  if (entry?.state !== 'running' || !isOfAttempt) return { node: before, sent: [] };
  if (state === 'interrupted') {
    const again = { ...entry, attempt: attempt + 1, atMs };
    const sent: LedgerSent = { kind: 'begin', number, attempt: attempt + 1, change: entry.change };
    return { node: replace(before, again), sent: [sent] };
  }
  const ended = replace(before, { ...entry, state, atMs, ...(state === 'failed' && { reason }) });
  const begun = beginNext(state === 'done' ? { ...ended, document: hash } : ended, atMs);
  return { node: prune(begun.node), sent: begun.sent };
}

/** The unmerge whose attempt is running; undefined where that has ended, or another one runs. */
export function findRunning(
  node: LedgerNode | undefined,
  { number, attempt }: Pick<LedgerEntry, 'number' | 'attempt'>,
): LedgerEntry | undefined {
  return node?.entries.find((one) => one.number === number && one.state === 'running' && one.attempt === attempt);
}

/** True where a profile may hold this attempt, or an earlier one which the attempt that is running replaces. */
export function isBegun(
  node: LedgerNode | undefined,
  { number, attempt }: Pick<LedgerEntry, 'number' | 'attempt'>,
): boolean {
  return (
    node?.entries.some((one) => one.number === number && one.state === 'running' && attempt <= one.attempt) ?? false
  );
}

/** Begins the oldest unmerge that waits, unless one is running: two at once would each rebuild without the other. */
function beginNext(node: LedgerNode, atMs: number): LedgerResult {
  const { entries } = node;
  const next = entries.find(({ state }) => state === 'waiting');
  if (next === undefined || entries.some(({ state }) => state === 'running')) return { node, sent: [] };
  const { number, change } = next;
  const begun = replace(node, { ...next, state: 'running', attempt: 1, atMs });
  return { node: begun, sent: [{ kind: 'begin', number, attempt: 1, change }] };
}

function replace(node: LedgerNode, entry: LedgerEntry): LedgerNode {
  return { ...node, entries: node.entries.map((one) => (one.number === entry.number ? entry : one)) };
}

function prune(node: LedgerNode): LedgerNode {
  const { entries } = node;
  const surplus = entries.length - ENTRIES_MAX;
  if (surplus <= 0) return node;
  const dropped = new Set(entries.filter((entry) => !isOpen(entry)).slice(0, surplus));
  return { ...node, entries: entries.filter((entry) => !dropped.has(entry)) };
}

function isOpen({ state }: LedgerEntry): boolean {
  return state === 'waiting' || state === 'running';
}
