import {
  addParted,
  type ForwarderNode,
  hasMember,
  isApart,
  LONE_ROOT,
  MEMBERS_MAX,
  type Member,
  type Parted,
  type ProfileNode,
  type RootNode,
  withMembers,
  withoutApart,
} from './node.js';
import { isStronger, type ProfileRef } from './profile-ref.js';

/*
 * What one key does with a record about identities, as a pure function of its own node: nobody knows all keys. Each
 * function gives the node after it, and either where the record goes instead or what is to be sent.
 */

/**
 * `claim`: a device or another weak id belongs to whoever names it first. `alias`: both ids are one person, said
 * expressly. `merge`: the same, said by a change, which joins also what an unmerge has parted.
 */
export type LinkRule = 'claim' | 'alias' | 'merge';

/** Another id that an event names beside its own. */
export interface NamedId {
  readonly other: ProfileRef;
  readonly rule: LinkRule;
}

/** A record for another key. `join`: hand over to `target`; `link`: you and `other` are one person. */
export type SentRecord =
  | {
      readonly kind: 'join';
      readonly to: ProfileRef;
      readonly target: ProfileRef;
      readonly rule: LinkRule;
      readonly change?: number | undefined;
    }
  | {
      readonly kind: 'link';
      readonly to: ProfileRef;
      readonly other: ProfileRef;
      readonly change?: number | undefined;
    };

/** The profile that a record goes to instead of being used here. */
export interface Forwarded {
  readonly result: 'forward';
  readonly node: ForwarderNode;
}

export interface Taken {
  readonly result: 'take';
  /** The same object when nothing changed. */
  readonly node: RootNode;
  readonly sent: readonly SentRecord[];
  /** Ids that were not asked, this profile having `MEMBERS_MAX` of them. */
  readonly cutOff: number;
}

/** An event that names other ids: each is asked to join once; too many are cut off. */
export function takeEvent(
  node: ProfileNode | undefined,
  { self, named, atMs }: { readonly self: ProfileRef; readonly named: readonly NamedId[]; readonly atMs: number },
): Forwarded | Taken {
  if (node?.kind === 'forwarder') return { result: 'forward', node };
  let taken: Taken = { result: 'take', node: node ?? LONE_ROOT, sent: [], cutOff: 0 };
  for (const id of named) taken = ask(taken, { self, id, atMs });
  return taken;
}

/**
 * A record `link`: to an expressed alias the profile of the other id is weaker, or was joined to a stronger one. `change`
 * is the number of the change that says so.
 */
export function takeLink(
  node: ProfileNode | undefined,
  {
    self,
    other,
    atMs,
    change,
  }: {
    readonly self: ProfileRef;
    readonly other: ProfileRef;
    readonly atMs: number;
    readonly change?: number | undefined;
  },
): Forwarded | Taken {
  if (node?.kind === 'forwarder') return { result: 'forward', node };
  const id: NamedId = { other, rule: change === undefined ? 'alias' : 'merge' };
  return ask({ result: 'take', node: node ?? LONE_ROOT, sent: [], cutOff: 0 }, { self, id, atMs, change });
}

function ask(
  before: Taken,
  {
    self,
    id,
    atMs,
    change,
  }: {
    readonly self: ProfileRef;
    readonly id: NamedId;
    readonly atMs: number;
    readonly change?: number | undefined;
  },
): Taken {
  const { other, rule } = id;
  const isMerge = rule === 'merge';
  const node = isMerge ? withoutApart(before.node, other.key) : before.node;
  if (other.key === self.key) return before;
  // One that was asked, and parted since, is asked again by a change.
  const isMember = hasMember(node, other.key);
  if (!isMerge && (isMember || isApart(node, other.key))) return before;
  const isOtherStronger = isStronger(other, self);
  // A claim is of a weaker id: nobody becomes a part of a profile because he names it.
  if (isOtherStronger && rule === 'claim') return before;
  if (!isMember && node.members.length >= MEMBERS_MAX) {
    return { ...before, node: { ...node, cutOff: node.cutOff + 1 }, cutOff: before.cutOff + 1 };
  }
  const by = change === undefined ? {} : { change };
  const sent: SentRecord = isOtherStronger
    ? { kind: 'link', to: other, other: self, ...by }
    : { kind: 'join', to: other, target: self, rule, ...by };
  const after = withMembers(node, [{ key: other.key, isJoined: false, atMs }]);
  return { ...before, node: after, sent: [...before.sent, sent] };
}

/**
 * What a key does with a record `join`. `hand_over`: it has become a forwarder, and its state goes to `node.to` with the
 * members that had joined it. `elsewhere`: it belongs to another profile; a claim ends there, an alias goes on to that one.
 */
export type JoinResult =
  | { readonly result: 'hand_over'; readonly node: ForwarderNode; readonly members: readonly Member[] }
  | { readonly result: 'done'; readonly node: ProfileNode | undefined }
  | { readonly result: 'elsewhere'; readonly node: ForwarderNode; readonly sent: readonly SentRecord[] };

export function takeJoin(
  node: ProfileNode | undefined,
  join: {
    readonly self: ProfileRef;
    readonly target: ProfileRef;
    readonly rule: LinkRule;
    readonly atMs: number;
    readonly change?: number | undefined;
  },
): JoinResult {
  const { self, target, rule, atMs, change } = join;
  if (node?.kind === 'forwarder') {
    if (node.to.key === target.key) return { result: 'done', node };
    const by = change === undefined ? {} : { change };
    const sent: SentRecord[] = rule === 'claim' ? [] : [{ kind: 'link', to: node.to, other: target, ...by }];
    return { result: 'elsewhere', node, sent };
  }
  const own = node ?? LONE_ROOT;
  // Forged, as a profile asks weaker ones alone; or asked before an unmerge parted them.
  if (!isStronger(target, self) || (rule !== 'merge' && isApart(own, target.key))) return { result: 'done', node };
  const { parted } = withoutApart(own, target.key);
  const members = own.members.filter(({ isJoined }) => isJoined);
  const forwarder = { kind: 'forwarder', to: target, sinceMs: atMs, ...(parted && { parted }) } as const;
  return { result: 'hand_over', node: forwarder, members };
}

/** A record `hand_over`: the profile `from` and its members have joined. */
export function takeHandOver(
  node: ProfileNode | undefined,
  {
    from,
    members,
    atMs,
    parted,
  }: {
    readonly from: string;
    readonly members: readonly Member[];
    readonly atMs: number;
    /** Of the profile that has joined. */
    readonly parted?: Parted | undefined;
  },
): Forwarded | Taken {
  if (node?.kind === 'forwarder') return { result: 'forward', node };
  const joined = withMembers(node ?? LONE_ROOT, [{ key: from, isJoined: true, atMs }, ...members]);
  const all = addParted(joined.parted, parted);
  const after = all === undefined ? joined : { ...joined, parted: all };
  return { result: 'take', node: after, sent: [], cutOff: joined.cutOff - (node?.cutOff ?? 0) };
}
