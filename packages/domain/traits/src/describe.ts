import type { About } from './about.js';
import type { StampedValues } from './stamped-values.js';
import { isGiven, type Tags } from './tags.js';
import type { TraitValue } from './trait.js';

/** A value in JSON: a time as ISO 8601, `removed` as null. */
type JsonValue = string | number | boolean | null;

/** A trait as people read it. */
interface DescribedTrait {
  readonly name: string;
  readonly type: 'text' | 'number' | 'boolean' | 'time';
  readonly value: JsonValue;
  /** When it was last said, ISO 8601. */
  readonly at: string;
  /** Other values that it had, the newest first; null where it had been removed. */
  readonly before: Array<{ readonly value: JsonValue; readonly at: string }>;
}

/** What is known about a profile, as people read it. */
interface DescribedAbout {
  /** By name; without those that were removed. */
  readonly traits: readonly DescribedTrait[];
  /** The account that the profile is in: the group that it joined last; null for none. */
  readonly account: { readonly id: string; readonly since: string } | null;
  /** The newest first. */
  readonly events: ReadonlyArray<{ readonly type: string; readonly name: string; readonly at: string }>;
  /** Those that it has, by name. */
  readonly tags: readonly DescribedTag[];
}

/** A tag as people read it. */
export interface DescribedTag {
  readonly name: string;
  readonly kind: 'manual' | 'imported';
  readonly owner: string;
  readonly since: string;
}

/** A change of a tag as people read it. */
export interface DescribedTagChange {
  readonly tag: string;
  readonly change: 'given' | 'taken';
  readonly kind: 'manual' | 'imported';
  readonly owner: string;
  readonly at: string;
}

export function describeAbout({ traits, accounts, events, tags = [] }: About): DescribedAbout {
  const [account] = accounts;
  return {
    traits: traits.flatMap(({ name, values }) => describeTrait(name, values)),
    account: account?.value.kind === 'text' ? { id: account.value.text, since: toIso(account.atMs) } : null,
    events: events.map(({ type, name, atMs }) => ({ type, name, at: toIso(atMs) })),
    tags: tags.filter(isGiven).flatMap(({ name, changes: [newest] }) => {
      if (newest === undefined) return [];
      return [{ name, kind: newest.kind, owner: newest.owner, since: toIso(newest.atMs) }];
    }),
  };
}

/** The changes of all tags that are remembered, the newest first. */
export function describeTagHistory(tags: Tags): readonly DescribedTagChange[] {
  return tags
    .flatMap(({ name, changes }) => changes.map((change) => ({ name, ...change })))
    .sort((a, b) => b.atMs - a.atMs)
    .map(({ name: tag, isGiven: has, kind, owner, atMs }) => {
      return { tag, change: has ? 'given' : 'taken', kind, owner, at: toIso(atMs) };
    });
}

const TYPES = { text: 'text', number: 'number', flag: 'boolean', time: 'time' } as const;

function describeTrait(name: string, [newest, ...older]: StampedValues): DescribedTrait[] {
  if (newest === undefined || newest.value.kind === 'removed') return [];
  const before = older.map(({ value, atMs }) => ({ value: toJson(value), at: toIso(atMs) }));
  return [{ name, type: TYPES[newest.value.kind], value: toJson(newest.value), at: toIso(newest.atMs), before }];
}

function toJson(value: TraitValue): JsonValue {
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'number':
      return value.number;
    case 'flag':
      return value.flag;
    case 'time':
      return toIso(value.timeMs);
    case 'removed':
      return null;
  }
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
