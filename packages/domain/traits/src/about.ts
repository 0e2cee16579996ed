import { mergeStamped, type StampedValues } from './stamped-values.js';
import { mergeTags, type Tags } from './tags.js';
import type { Trait } from './trait.js';

/** Traits of a profile; of more, those that come last in the alphabet are dropped, so that the order of arrival does not matter. */
export const TRAITS_MAX = 50;
/** Different values of one trait that are remembered. */
const TRAIT_VALUES_MAX = 4;
/** Accounts of a profile that are remembered. */
const ACCOUNTS_MAX = 4;
/** Newest events of a profile that are remembered by name and time. */
const RECENT_EVENTS_MAX = 20;

/** All values of a trait, the newest first. */
export interface TraitHistory {
  readonly name: string;
  readonly values: StampedValues;
}

/** An event of a profile, without its properties. */
export interface RecentEvent {
  readonly type: string;
  readonly name: string;
  /** When it happened, UTC ms. */
  readonly atMs: number;
}

/**
 * What is known about a profile besides its features: traits, accounts, newest events, a function of the events alone: they may
 * arrive in any order, and in two parts that are merged later. And the tags that it was given.
 */
export interface About {
  /** By name, ascending. */
  readonly traits: readonly TraitHistory[];
  /** Ids of the groups that the profile is in, the newest first. */
  readonly accounts: StampedValues;
  /** The newest first. */
  readonly events: readonly RecentEvent[];
  /** The tags that it was given by hand or by a list; absent for none, ever. Not of events: in the order of the log. */
  readonly tags?: Tags;
}

export const NOTHING_KNOWN: About = { traits: [], accounts: [], events: [] };

/** What one event says. */
export interface Said {
  readonly event: RecentEvent;
  readonly traits: readonly Trait[];
  /** Id of the group that the profile joins. */
  readonly accountId?: string | undefined;
}

/** Adds what an event says. An event must be added once: repeats are the caller's to drop. */
export function addSaid(about: About, { event, traits, accountId }: Said): About {
  const { atMs } = event;
  const said = traits.map(({ name, value }) => ({ name, values: [{ value, atMs }] }));
  return {
    ...about,
    // Most events say nothing of traits.
    traits: said.length === 0 ? about.traits : mergeTraits(about.traits, said.sort(byName)),
    accounts:
      accountId === undefined
        ? about.accounts
        : mergeStamped(about.accounts, [{ value: { kind: 'text', text: accountId }, atMs }], ACCOUNTS_MAX),
    events: insertEvent(about.events, event),
  };
}

/** What two parts of one profile know together: associative and commutative. */
export function mergeAbout(a: About, b: About): About {
  return {
    traits: mergeTraits(a.traits, b.traits),
    accounts: mergeStamped(a.accounts, b.accounts, ACCOUNTS_MAX),
    events: [...a.events, ...b.events].sort(compareEvents).slice(0, RECENT_EVENTS_MAX),
    ...(a.tags === undefined && b.tags === undefined ? {} : { tags: mergeTags(a.tags ?? [], b.tags ?? []) }),
  };
}

/** Traits that would be dropped when an event is added. */
export function countDropped(about: About, traits: readonly Trait[]): number {
  if (about.traits.length + traits.length <= TRAITS_MAX) return 0;
  const names = new Set([...about.traits, ...traits].map(({ name }) => name));
  return Math.max(names.size - TRAITS_MAX, 0);
}

function mergeTraits(a: readonly TraitHistory[], b: readonly TraitHistory[]): readonly TraitHistory[] {
  const merged = new Map(a.map((history) => [history.name, history]));
  for (const { name, values } of b) {
    merged.set(name, { name, values: mergeStamped(merged.get(name)?.values ?? [], values, TRAIT_VALUES_MAX) });
  }
  return [...merged.values()].sort(byName).slice(0, TRAITS_MAX);
}

/** By code unit: the same on every machine. */
function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** Nearly every event is the newest: one pass from the front. */
function insertEvent(events: readonly RecentEvent[], event: RecentEvent): readonly RecentEvent[] {
  const index = events.findIndex((known) => compareEvents(event, known) <= 0);
  const at = index === -1 ? events.length : index;
  if (at === RECENT_EVENTS_MAX) return events;
  return [...events.slice(0, at), event, ...events.slice(at, RECENT_EVENTS_MAX - 1)];
}

function compareEvents(a: RecentEvent, b: RecentEvent): number {
  if (a.atMs !== b.atMs) return b.atMs - a.atMs;
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  return byName(a, b);
}
