import type { FeatureEvent } from '../event.js';
import type { Hash64 } from '../hash.js';
import { EMPTY_MEMORY, forgetIds, type IdMemory, type IdMemoryLimits, rememberId } from '../id-memory.js';
import { isBefore, type Reach } from '../reach.js';
import { hasHash } from '../stamped-hashes.js';
import { DAY_MS } from '../time.js';
import { KEPT_ORDERS_MAX } from './correction-rules.js';

/** Bytes of an order's properties as JSON; of one with more the content is not kept. */
export const KEPT_ORDER_BYTES_MAX = 2_048;
/** An order is kept for this long after it happened. */
const KEPT_MS = 90 * DAY_MS;

/** Messages that were taken back: a year of log time, 256 of them. */
export const TAKEN_BACK_MEMORY: IdMemoryLimits = { keptMs: 366 * DAY_MS, stampMs: DAY_MS, idsMax: 256 };

/** What an event had added: all that it says, or only the amount of an order that had come before without it. */
export type Added = 'all' | 'amount';

/** What an event has added to a state. */
export interface Contribution {
  readonly event: FeatureEvent;
  readonly added: Added;
}

/** An order whose content is known. */
export interface KeptOrder {
  /** As `toOrderKey` has it. */
  readonly id: string;
  /** The number in its `version`, 0 without. */
  readonly version: number;
  /** When it happened. */
  readonly atMs: number;
  /** None for an order that was cancelled. */
  readonly contributions: readonly Contribution[];
}

/** An event whose amount is left out of some sums. */
export interface KeptOut {
  /** Hash of the message's id, 16 hex digits. */
  readonly id: string;
  readonly atMs: number;
  /** Those that are outliers. */
  readonly properties: readonly string[];
}

/** What a profile knows of events that were or may be taken back. Absent for a profile that knows nothing of the kind. */
export interface Corrections {
  /** In the order of time and id. */
  readonly kept: readonly KeptOrder[];
  /** Ids of the messages that were taken back: none of them counts again. */
  readonly takenBack: IdMemory;
  /** Names of the features that still have an event that was taken back, with the newest time of such an event. */
  readonly remaining: Readonly<Record<string, number>>;
  /** Events with an outlier that features leave out, in the order of time and id; absent for none. See `kept-out.ts`. */
  readonly keptOut?: readonly KeptOut[];
  /**
   * Of a state that is a part of another one: what is to be taken back when it is complete, since the rest may have it.
   * Absent for a state that is whole.
   */
  readonly pending?: readonly Contribution[];
}

export const NO_CORRECTIONS: Corrections = { kept: [], takenBack: EMPTY_MEMORY, remaining: {} };

/** Absent where there is nothing: a state that was never corrected has the bytes that it always had. */
export function toStored(corrections: Corrections): Corrections | undefined {
  const { kept, takenBack, remaining, pending, keptOut = [] } = corrections;
  const known = kept.length + takenBack.ids.stamps.length + takenBack.dropped + keptOut.length;
  const isEmpty = known === 0 && pending === undefined;
  return isEmpty && Object.keys(remaining).length === 0 ? undefined : corrections;
}

export function isTakenBack(corrections: Corrections | undefined, id: Hash64): boolean {
  return corrections !== undefined && hasHash(corrections.takenBack.ids, id);
}

export function rememberTakenBack(corrections: Corrections, id: Hash64, asOfMs: number): Corrections {
  return { ...corrections, takenBack: rememberId(corrections.takenBack, id, asOfMs, TAKEN_BACK_MEMORY) };
}

/** The orders with another one in the place of that with its id; the oldest are forgotten. */
export function keepOrder(kept: readonly KeptOrder[], order: KeptOrder, limits: KeptLimits): readonly KeptOrder[] {
  return limitKept([...kept.filter(({ id }) => id !== order.id), order], limits);
}

interface KeptLimits {
  readonly keep: number;
  readonly asOfMs: number;
}

/** The newest orders, in order. */
export function limitKept(kept: readonly KeptOrder[], { keep, asOfMs }: KeptLimits): readonly KeptOrder[] {
  const known = kept.filter(({ atMs }) => atMs >= asOfMs - KEPT_MS);
  known.sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
  return known.slice(Math.max(0, known.length - keep));
}

/** Of which windows each feature is. */
export type Reaches = ReadonlyArray<{ readonly name: string; readonly reaches: readonly Reach[] }>;

/** What is still known at a later time; the same object if that is all. */
export function forgetCorrections(corrections: Corrections, asOfMs: number, sources: Reaches): Corrections | undefined {
  const takenBack = forgetIds(corrections.takenBack, asOfMs, TAKEN_BACK_MEMORY);
  const isOld = corrections.kept.some(({ atMs }) => atMs < asOfMs - KEPT_MS);
  const remaining = dropPassed(corrections.remaining, asOfMs, sources);
  if (takenBack === corrections.takenBack && !isOld && remaining === corrections.remaining) return corrections;
  const kept = isOld ? limitKept(corrections.kept, { keep: KEPT_ORDERS_MAX, asOfMs }) : corrections.kept;
  return toStored({ ...corrections, kept, takenBack, remaining });
}

/** A feature is right again when its windows have passed the event. Names of another spec stay. */
function dropPassed(remaining: Corrections['remaining'], asOfMs: number, sources: Reaches): Corrections['remaining'] {
  const passed = sources.filter(({ name, reaches }) => {
    const atMs = Object.hasOwn(remaining, name) ? remaining[name] : undefined;
    return atMs !== undefined && isBefore(reaches, atMs, asOfMs);
  });
  if (passed.length === 0) return remaining;
  const names = new Set(passed.map(({ name }) => name));
  return Object.fromEntries(Object.entries(remaining).filter(([name]) => !names.has(name)));
}

/** The newest time of each feature, names in order: equal contents give equal bytes. */
export function uniteRemaining(a: Corrections['remaining'], b: Corrections['remaining']): Corrections['remaining'] {
  const united = new Map(Object.entries(a));
  for (const [name, atMs] of Object.entries(b)) united.set(name, Math.max(atMs, united.get(name) ?? atMs));
  return Object.fromEntries([...united].sort(([x], [y]) => (x < y ? -1 : 1)));
}
