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
  const last = findLast(contact, { channel, topic: category });
  if (last?.state === 'withdrawn') return 'withdrawn';
  if (last?.state === 'requested') return 'not_confirmed';
  return obstacles.find((obstacle) => obstacle.channel === channel || obstacle.channel === '*')?.kind;
}

type Scope = Pick<Permission, 'channel' | 'topic'>;

/** What counts for a channel and a topic: the newest of what was said of them. */
function findLast(contact: readonly Permission[], of: Scope): Permission | undefined {
  let last: Permission | undefined;
  for (const entry of contact) {
    if (covers(entry, of) && (last === undefined || isAfter(entry, last))) last = entry;
  }
  return last;
}

function covers({ channel, topic }: Scope, of: Scope): boolean {
  return (channel === of.channel || channel === '*') && (topic === of.topic || topic === '');
}

const STRICTNESS = ['granted', 'requested', 'withdrawn'];

/** Of two at one time the narrower counts ("no channel but email"), of two as narrow the stricter. */
function isAfter(a: Permission, b: Permission): boolean {
  return (a.atMs - b.atMs || toNarrowness(a) - toNarrowness(b) || toStrictness(a) - toStrictness(b)) > 0;
}

function toNarrowness({ channel, topic }: Scope): number {
  return Number(channel !== '*') + Number(topic !== '');
}

function toStrictness({ state }: Permission): number {
  return STRICTNESS.indexOf(state);
}

/**
 * What was said of a channel; older than what is known it changes nothing. Said again it counts from then on, against what was said
 * of other scopes meanwhile. A grant also ends a complaint and a bounce before it.
 */
export function takePermission(before: Permissions, said: Permission): Permissions {
  const { channel, topic } = said;
  const known = before.contact.find((entry) => entry.channel === channel && entry.topic === topic);
  if (known !== undefined && !isAfter(said, known)) return before;
  const others = before.contact.filter((entry) => entry !== known);
  const contact = bound([...others, said].sort(byName), ({ state }) => state !== 'withdrawn');
  return said.state === 'granted' ? dropObstacles({ ...before, contact }, said) : { ...before, contact };
}

/** What was said of a purpose; older than what is known it changes nothing. */
export function takePurpose(before: Permissions, said: Purpose): Permissions {
  const known = before.purposes.find(({ purpose }) => purpose === said.purpose);
  if (known !== undefined && !isNewer(said, known)) return before;
  const others = before.purposes.filter((entry) => entry !== known);
  const purposes = [...others, said].sort((a, b) => compare(a.purpose, b.purpose));
  return { ...before, purposes: bound(purposes, ({ granted }) => granted) };
}

/** Of two at one time the withdrawal counts. */
function isNewer(said: Purpose, known: Purpose): boolean {
  return said.atMs > known.atMs || (said.atMs === known.atMs && known.granted && !said.granted);
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

/**
 * Those of two profiles that turned out to be one person: where they differ, the withdrawal counts, whichever is newer. Associative
 * and commutative.
 */
export function mergePermissions(a: Permissions, b: Permissions): Permissions {
  const contact = mergeContact(a.contact, b.contact);
  const purposes = new Map(a.purposes.map((entry) => [entry.purpose, entry]));
  for (const entry of b.purposes) {
    const known = purposes.get(entry.purpose);
    const granted = entry.granted && (known?.granted ?? true);
    purposes.set(entry.purpose, { ...entry, granted, atMs: Math.max(entry.atMs, known?.atMs ?? entry.atMs) });
  }
  let merged: Permissions = {
    contact: bound(contact, ({ state }) => state !== 'withdrawn'),
    purposes: bound(
      [...purposes.values()].sort((x, y) => compare(x.purpose, y.purpose)),
      ({ granted }) => granted,
    ),
    obstacles: a.obstacles,
  };
  for (const obstacle of b.obstacles) merged = takeObstacle(merged, obstacle);
  return merged;
}

/**
 * For every scope of which one of them has said something, and for what two scopes have in common, the stricter of what counts for
 * each, from the later time on. So of any channel and topic the narrowest of these scopes has the newest time, and what counts in the
 * end is never less than what one of them withdrew.
 */
function mergeContact(a: readonly Permission[], b: readonly Permission[]): Permission[] {
  const merged: Permission[] = [];
  for (const scope of listScopes([...a, ...b])) {
    const [one, other] = [findLast(a, scope), findLast(b, scope)];
    const stricter = one && (other === undefined || toStrictness(one) >= toStrictness(other)) ? one : other;
    if (stricter === undefined) continue;
    const atMs = Math.max(one?.atMs ?? stricter.atMs, other?.atMs ?? stricter.atMs);
    merged.push({ ...scope, state: stricter.state, atMs });
  }
  return merged.sort(byName);
}

/** The scopes, and what two of them have in common: of every channel's topic and a channel's every topic, that topic of that channel. */
function listScopes(entries: readonly Permission[]): Scope[] {
  const scopes = new Map<string, Scope>();
  const add = (channel: string, topic: string) => scopes.set(JSON.stringify([channel, topic]), { channel, topic });
  for (const { channel, topic } of entries) {
    add(channel, topic);
    if (channel !== '*') continue;
    for (const other of entries) if (other.topic === '') add(other.channel, topic);
  }
  return [...scopes.values()];
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

function byName(a: Scope, b: Scope): number {
  return compare(a.channel, b.channel) || compare(a.topic, b.topic);
}

function byObstacle(a: Obstacle, b: Obstacle): number {
  return compare(a.channel, b.channel) || compare(a.kind, b.kind);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
