import {
  type ForwarderNode,
  hasMember,
  type IdentityNode,
  LONE_ROOT,
  MEMBERS_MAX,
  type Member,
  type RootNode,
  withMembers,
} from './node.js';
import { isStronger, type ProfileRef } from './profile-ref.js';

/*
 * What one key does with a record about identities, as a pure function of its own node: nobody knows all keys. Each
 * function gives the node after it, and either where the record goes instead or what is to be sent.
 */

/**
 * `claim`: a device or another weak id belongs to whoever names it first. `alias`: both ids are one person, said
 * expressly.
 */
export type LinkRule = 'claim' | 'alias';

/** Another id that an event names beside its own. */
export interface NamedId {
  readonly other: ProfileRef;
  readonly rule: LinkRule;
}

/** A record for another key. `join`: hand over to `target`; `link`: you and `other` are one person. */
export type SentRecord =
  | { readonly kind: 'join'; readonly to: ProfileRef; readonly target: ProfileRef; readonly rule: LinkRule }
  | { readonly kind: 'link'; readonly to: ProfileRef; readonly other: ProfileRef };

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
  node: IdentityNode | undefined,
  { self, named, atMs }: { readonly self: ProfileRef; readonly named: readonly NamedId[]; readonly atMs: number },
): Forwarded | Taken {
  if (node?.kind === 'forwarder') return { result: 'forward', node };
  let taken: Taken = { result: 'take', node: node ?? LONE_ROOT, sent: [], cutOff: 0 };
  for (const id of named) taken = ask(taken, { self, id, atMs });
  return taken;
}

/** A record `link`: to an expressed alias the profile of the other id is weaker, or was joined to a stronger one. */
export function takeLink(
  node: IdentityNode | undefined,
  { self, other, atMs }: { readonly self: ProfileRef; readonly other: ProfileRef; readonly atMs: number },
): Forwarded | Taken {
  return takeEvent(node, { self, named: [{ other, rule: 'alias' }], atMs });
}

function ask(
  before: Taken,
  { self, id, atMs }: { readonly self: ProfileRef; readonly id: NamedId; readonly atMs: number },
): Taken {
  const { node } = before;
  const { other, rule } = id;
  if (other.key === self.key || hasMember(node, other.key)) return before;
  const isOtherStronger = isStronger(other, self);
  // A claim is of a weaker id: nobody becomes a part of a profile because he names it.
  if (isOtherStronger && rule === 'claim') return before;
  if (node.members.length >= MEMBERS_MAX) {
    return { ...before, node: { ...node, cutOff: node.cutOff + 1 }, cutOff: before.cutOff + 1 };
  }
  const sent: SentRecord = isOtherStronger
    ? { kind: 'link', to: other, other: self }
    : { kind: 'join', to: other, target: self, rule };
  const after = withMembers(node, [{ key: other.key, isJoined: false, atMs }]);
  return { ...before, node: after, sent: [...before.sent, sent] };
}

/**
 * What a key does with a record `join`. `hand_over`: it has become a forwarder, and its state goes to `node.to` with the
 * members that had joined it. `elsewhere`: it belongs to another profile; a claim ends there, an alias goes on to that one.
 */
export type JoinResult =
  | { readonly result: 'hand_over'; readonly node: ForwarderNode; readonly members: readonly Member[] }
  | { readonly result: 'done'; readonly node: IdentityNode | undefined }
  | { readonly result: 'elsewhere'; readonly node: ForwarderNode; readonly sent: readonly SentRecord[] };

export function takeJoin(
  node: IdentityNode | undefined,
  join: { readonly self: ProfileRef; readonly target: ProfileRef; readonly rule: LinkRule; readonly atMs: number },
): JoinResult {
  const { self, target, rule, atMs } = join;
  if (node?.kind === 'forwarder') {
    if (node.to.key === target.key) return { result: 'done', node };
    const sent: SentRecord[] = rule === 'alias' ? [{ kind: 'link', to: node.to, other: target }] : [];
    return { result: 'elsewhere', node, sent };
  }
  // Only forged: a profile asks weaker ones alone.
  if (!isStronger(target, self)) return { result: 'done', node };
  const members = (node ?? LONE_ROOT).members.filter(({ isJoined }) => isJoined);
  return { result: 'hand_over', node: { kind: 'forwarder', to: target, sinceMs: atMs }, members };
}

/** A record `hand_over`: the profile `from` and its members have joined. */
export function takeHandOver(
  node: IdentityNode | undefined,
  { from, members, atMs }: { readonly from: string; readonly members: readonly Member[]; readonly atMs: number },
): Forwarded | Taken {
  if (node?.kind === 'forwarder') return { result: 'forward', node };
  const joined = withMembers(node ?? LONE_ROOT, [{ key: from, isJoined: true, atMs }, ...members]);
  return { result: 'take', node: joined, sent: [], cutOff: joined.cutOff - (node?.cutOff ?? 0) };
}
