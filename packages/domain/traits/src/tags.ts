/** Tags of a profile, those that were taken away included. */
export const TAGS_MAX = 64;
/** Changes of one tag that are remembered. */
const TAG_CHANGES_MAX = 4;
/** Of who gives a tag. */
export const TAG_OWNER_CHARS_MAX = 100;

const TAG_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** How a tag was given: one by one, or in a list that was imported. */
export type GivenKind = 'manual' | 'imported';

export interface TagChange {
  /** False: it was taken away. */
  readonly isGiven: boolean;
  readonly kind: GivenKind;
  /** Who did it; '' for nobody in particular. */
  readonly owner: string;
  /** UTC ms; later than the change before it. */
  readonly atMs: number;
}

/** The newest changes of a tag, the newest first. */
export interface TagHistory {
  readonly name: string;
  readonly changes: readonly TagChange[];
}

/** By name, ascending. */
export type Tags = readonly TagHistory[];

export function isTagName(name: string): boolean {
  return TAG_NAME.test(name);
}

export function isGiven({ changes }: TagHistory): boolean {
  return changes[0]?.isGiven ?? false;
}

/** Names of the tags that a profile has, ascending. */
export function listGiven(tags: Tags | undefined): readonly string[] {
  return (tags ?? []).filter(isGiven).map(({ name }) => name);
}

/**
 * Takes a change that comes after all that the profile knows, whatever its clock says. The same tags, by reference, where it
 * changes nothing: the profile has the tag already, or does not have it. Undefined where the profile has too many.
 */
export function changeTag(tags: Tags, name: string, change: TagChange): Tags | undefined {
  const known = tags.find((history) => history.name === name);
  if ((known !== undefined && isGiven(known)) === change.isGiven) return tags;
  const before = known?.changes ?? [];
  const atMs = Math.max(change.atMs, (before[0]?.atMs ?? -1) + 1);
  const history = { name, changes: [{ ...change, atMs }, ...before].slice(0, TAG_CHANGES_MAX) };
  const others = tags.filter((one) => one !== known);
  if (others.filter(isGiven).length === TAGS_MAX) return undefined;
  return keepNewest([...others, history]);
}

/** What two parts of one profile were given: associative and commutative, as long as they have no more tags than are kept. */
export function mergeTags(a: Tags, b: Tags): Tags {
  const merged = new Map(a.map((history) => [history.name, history.changes]));
  for (const { name, changes } of b) merged.set(name, mergeChanges(merged.get(name) ?? [], changes));
  return keepNewest([...merged].map(([name, changes]) => ({ name, changes })));
}

/** By time; each once. Both may have been given the tag: then it stands there twice in a row. */
function mergeChanges(a: readonly TagChange[], b: readonly TagChange[]): readonly TagChange[] {
  const all = [...a, ...b].sort(compareChanges);
  const isNew = (change: TagChange, before: TagChange | undefined) =>
    before === undefined || compareChanges(change, before) !== 0;
  return all.filter((change, index) => isNew(change, all[index - 1])).slice(0, TAG_CHANGES_MAX);
}

/** The newest first; of one time any order of arrival gives the same. */
function compareChanges(a: TagChange, b: TagChange): number {
  if (a.atMs !== b.atMs) return b.atMs - a.atMs;
  if (a.isGiven !== b.isGiven) return a.isGiven ? -1 : 1;
  return compareTexts(a.owner, b.owner) || compareTexts(a.kind, b.kind);
}

/** Tags that were taken away are forgotten first, then those given long ago. */
function keepNewest(tags: readonly TagHistory[]): Tags {
  const byName = (one: TagHistory, other: TagHistory) => compareTexts(one.name, other.name);
  if (tags.length <= TAGS_MAX) return [...tags].sort(byName);
  const newestMs = ({ changes }: TagHistory) => changes[0]?.atMs ?? 0;
  const byWorth = (one: TagHistory, other: TagHistory) =>
    Number(isGiven(other)) - Number(isGiven(one)) || newestMs(other) - newestMs(one) || byName(one, other);
  return [...tags].sort(byWorth).slice(0, TAGS_MAX).sort(byName);
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
