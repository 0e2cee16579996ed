/** A contact permission, as it was last said of a channel (`*` for all) and a topic ('' for all). */
export interface Permission {
  readonly channel: string;
  readonly topic: string;
  readonly state: string;
  readonly atMs: number;
}

/** Whether data may be used for a purpose, as it was last said. */
interface Purpose {
  readonly purpose: string;
  readonly granted: boolean;
  readonly atMs: number;
}

/** Why a channel is not used although nobody withdrew it. */
interface Obstacle {
  readonly channel: string;
  readonly kind: 'bounced' | 'complained';
  readonly atMs: number;
}

/** What a person allows, and which channels do not work. Every part is bounded. */
export interface Permissions {
  readonly contact: readonly Permission[];
  readonly purposes: readonly Purpose[];
  readonly obstacles: readonly Obstacle[];
}

export const NO_PERMISSIONS: Permissions = { contact: [], purposes: [], obstacles: [] };

/** Of each part; the oldest grants go first, withdrawals last. */
const ENTRIES_MAX = 32;

/** The purpose that every contact serves: without consent to it nobody is contacted. */
const CONTACT_PURPOSE = 'marketing';

export type BlockReason = 'withdrawn' | 'not_confirmed' | 'complained' | 'bounced' | 'no_consent';

/**
 * Why a strategy's channel and category may not be used for a person; undefined when they may. Of what was said of the channel or of
 * all, and of the topic (the strategy's category) or of all, the newest counts; what nobody said anything of is allowed.
 */
export function findBlock(
  { contact, purposes, obstacles }: Permissions,
  { channel, category = '' }: { readonly channel: string; readonly category?: string | undefined },
): BlockReason | undefined {
  if (purposes.some(({ purpose, granted }) => purpose === CONTACT_PURPOSE && !granted)) return 'no_consent';
  let last: Permission | undefined;
  for (const entry of contact) {
    if (entry.channel !== channel && entry.channel !== '*') continue;
    if (entry.topic !== '' && entry.topic !== category) continue;
    if (last === undefined || isAfter(entry, last)) last = entry;
  }
  if (last?.state === 'withdrawn') return 'withdrawn';
  if (last?.state === 'requested') return 'not_confirmed';
  return obstacles.find((obstacle) => obstacle.channel === channel || obstacle.channel === '*')?.kind;
}

/** Of two at one time the withdrawal counts. */
function isAfter(a: Permission, b: Permission): boolean {
  return a.atMs > b.atMs || (a.atMs === b.atMs && a.state === 'withdrawn');
}

function isSame(a: Permission, b: Permission): boolean {
  return a.atMs === b.atMs && a.state === b.state;
}

/** What was said of a channel; older than what is known it changes nothing. A grant also ends a complaint and a bounce before it. */
export function takePermission(before: Permissions, said: Permission): Permissions {
  const { channel, topic } = said;
  const known = before.contact.find((entry) => entry.channel === channel && entry.topic === topic);
  // The same said again later has the later time: what was said in between and comes late is older then.
  if (known !== undefined && (!isAfter(said, known) || isSame(said, known))) return before;
  const others = before.contact.filter((entry) => entry !== known);
  const contact = bound([...others, said].sort(byName), ({ state }) => state !== 'withdrawn');
  return said.state === 'granted' ? dropObstacles({ ...before, contact }, said) : { ...before, contact };
}

/** What was said of a purpose. */
export function takePurpose(before: Permissions, said: Purpose): Permissions {
  const known = before.purposes.find(({ purpose }) => purpose === said.purpose);
  if (known !== undefined && known.atMs > said.atMs) return before;
  if (known?.atMs === said.atMs && (said.granted || !known.granted)) return before;
  const others = before.purposes.filter((entry) => entry !== known);
  const purposes = [...others, said].sort((a, b) => compare(a.purpose, b.purpose));
  return { ...before, purposes: bound(purposes, ({ granted }) => granted) };
}

/** A bounce or a complaint on a channel: it is not used until a delivery (of a bounce) or a grant after it. */
export function takeObstacle(before: Permissions, said: Obstacle): Permissions {
  const known = before.obstacles.find(({ channel, kind }) => channel === said.channel && kind === said.kind);
  if (known !== undefined && known.atMs >= said.atMs) return before;
  const others = before.obstacles.filter((entry) => entry !== known);
  return { ...before, obstacles: bound([...others, said].sort(byObstacle), ({ kind }) => kind === 'bounced') };
}

/** The channel works: bounces before it are over. */
export function takeDelivery(before: Permissions, channel: string, atMs: number): Permissions {
  const obstacles = before.obstacles.filter(
    (entry) => entry.kind !== 'bounced' || entry.channel !== channel || entry.atMs > atMs,
  );
  return obstacles.length === before.obstacles.length ? before : { ...before, obstacles };
}

function dropObstacles(before: Permissions, { channel, atMs }: Permission): Permissions {
  const obstacles = before.obstacles.filter(
    (entry) => (channel !== '*' && entry.channel !== channel) || entry.atMs > atMs,
  );
  return obstacles.length === before.obstacles.length ? before : { ...before, obstacles };
}

/** Those of two profiles that turned out to be one person: where they differ, the withdrawal counts, whichever is newer. */
export function mergePermissions(a: Permissions, b: Permissions): Permissions {
  const contact = new Map(a.contact.map((entry) => [JSON.stringify([entry.channel, entry.topic]), entry]));
  for (const entry of b.contact) {
    const key = JSON.stringify([entry.channel, entry.topic]);
    const known = contact.get(key);
    contact.set(key, known === undefined ? entry : toStricter(known, entry));
  }
  const purposes = new Map(a.purposes.map((entry) => [entry.purpose, entry]));
  for (const entry of b.purposes) {
    const known = purposes.get(entry.purpose);
    const granted = entry.granted && (known?.granted ?? true);
    purposes.set(entry.purpose, { ...entry, granted, atMs: Math.max(entry.atMs, known?.atMs ?? entry.atMs) });
  }
  let merged: Permissions = {
    contact: bound([...contact.values()].sort(byName), ({ state }) => state !== 'withdrawn'),
    purposes: bound(
      [...purposes.values()].sort((x, y) => compare(x.purpose, y.purpose)),
      ({ granted }) => granted,
    ),
    obstacles: a.obstacles,
  };
  for (const obstacle of b.obstacles) merged = takeObstacle(merged, obstacle);
  return merged;
}

const STRICTNESS = ['granted', 'requested', 'withdrawn'];

function toStricter(a: Permission, b: Permission): Permission {
  const stricter = STRICTNESS.indexOf(a.state) >= STRICTNESS.indexOf(b.state) ? a : b;
  return { ...stricter, atMs: Math.max(a.atMs, b.atMs) };
}

/** Drops the oldest of those that may go first, then the oldest of all. */
function bound<Entry extends { readonly atMs: number }>(
  entries: readonly Entry[],
  goesFirst: (entry: Entry) => boolean,
): readonly Entry[] {
  if (entries.length <= ENTRIES_MAX) return entries;
  const inOrder = [...entries].sort((a, b) => Number(goesFirst(b)) - Number(goesFirst(a)) || a.atMs - b.atMs);
  const dropped = new Set(inOrder.slice(0, entries.length - ENTRIES_MAX));
  return entries.filter((entry) => !dropped.has(entry));
}

function byName(a: Permission, b: Permission): number {
  return compare(a.channel, b.channel) || compare(a.topic, b.topic);
}

function byObstacle(a: Obstacle, b: Obstacle): number {
  return compare(a.channel, b.channel) || compare(a.kind, b.kind);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
