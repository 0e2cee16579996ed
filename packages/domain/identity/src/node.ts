import type { LedgerNode } from './ledger.js';
import type { ProfileRef } from './profile-ref.js';

/** What a key knows of joins: it is a profile, or it forwards to another key; one key holds the ledger of changes. */
export type IdentityNode = ProfileNode | LedgerNode;
export type ProfileNode = RootNode | ForwarderNode;

interface PartedNode {
  /** What unmerges have left here; undefined before any. */
  readonly parted?: Parted | undefined;
  /** The unmerge that is under way. */
  readonly leaving?: Leaving | undefined;
  /** Profiles that have named this id, or one that has joined it; undefined for none, and where no rule limits them. */
  readonly namedBy?: number | undefined;
}

export interface RootNode extends PartedNode {
  readonly kind: 'root';
  /** In the order in which they were asked or came, at most `MEMBERS_MAX`. */
  readonly members: readonly Member[];
  /** Times that another id was cut off, the members being too many. */
  readonly cutOff: number;
}

export interface ForwarderNode extends PartedNode {
  readonly kind: 'forwarder';
  /** Stronger than this key. */
  readonly to: ProfileRef;
  /** Log time of the join, ms. */
  readonly sinceMs: number;
}

/** An id that a profile has asked to join it, or that has joined it (itself, or together with one that did). */
export interface Member {
  readonly key: string;
  readonly isJoined: boolean;
  /** Log time at which it was asked or joined, ms. */
  readonly atMs: number;
  /** Of the kind of its id; undefined for users and devices, and for one that is not known. */
  readonly strength?: number | undefined;
}

/** What unmerges leave at a profile, and at those that it joins. */
export interface Parted {
  /** Keys that it does not join, nor they it, unless a change says so. The newest `APART_MAX`. */
  readonly apart: readonly string[];
  /** Numbers of the unmerges of which marked copies are dropped here. */
  readonly left: readonly number[];
}

/** An unmerge, as the key that leaves and the profile that it leaves hold it while it is under way. */
export interface Leaving {
  readonly number: number;
  /** Counted from 1: an interrupted unmerge begins again. */
  readonly attempt: number;
  /** Of the record with which it began here. */
  readonly offset: number;
  readonly leaver: ProfileRef;
  /** The key that it is parted from, as the change names it. */
  readonly other: string;
  /** Beginning of the hash of the fill in force at `offset`, '' for none. */
  readonly fill: string;
  /** The key that leaves holds too many records, and has asked that the unmerge begin again. */
  readonly aborting?: boolean | undefined;
}

/** Ids that one profile takes in: a person who clears cookies each week is below it for two years, an id that many share is not. */
export const MEMBERS_MAX = 128;

/** Keys that one profile keeps apart; the oldest are forgotten. */
export const APART_MAX = 128;

/** A profile that nobody has joined. */
export const LONE_ROOT: RootNode = Object.freeze({ kind: 'root', members: Object.freeze([]), cutOff: 0 });

export function hasMember({ members }: RootNode, key: string): boolean {
  return members.some((member) => member.key === key);
}

/** The root with some keys as members; those above the limit are counted only. */
export function withMembers(node: RootNode, added: readonly Member[]): RootNode {
  const members = [...node.members];
  let { cutOff } = node;
  for (const member of added) {
    const place = members.findIndex(({ key }) => key === member.key);
    const known = members[place];
    if (known?.isJoined) continue;
    if (known !== undefined) members[place] = { ...known, ...member };
    else if (members.length < MEMBERS_MAX) members.push(member);
    else cutOff += 1;
  }
  return { ...node, members, cutOff };
}

export function isApart({ parted }: ProfileNode, key: string): boolean {
  return parted?.apart.includes(key) ?? false;
}

/** Keeps some more keys apart, and drops the marked copies of some more unmerges. */
export function addParted(before: Parted | undefined, added: Parted | undefined): Parted | undefined {
  if (before === undefined || added === undefined) return before ?? added;
  const apart = [...new Set([...before.apart, ...added.apart])].slice(-APART_MAX);
  return { apart, left: [...new Set([...before.left, ...added.left])].slice(-APART_MAX) };
}

/** After a change that joins them. */
export function withoutApart<Node extends ProfileNode>(node: Node, key: string): Node {
  const { parted } = node;
  if (parted === undefined || !parted.apart.includes(key)) return node;
  return { ...node, parted: { ...parted, apart: parted.apart.filter((other) => other !== key) } };
}

/** Counts one more profile that names this key's id, or one that has joined it, where the kind has a limit. */
export function countNaming<Node extends ProfileNode>(
  node: Node,
  profilesMax: number | undefined,
): { readonly node: Node; readonly isTooMany: boolean } {
  if (profilesMax === undefined) return { node, isTooMany: false };
  const namedBy = (node.namedBy ?? 0) + 1;
  return { node: { ...node, namedBy }, isTooMany: namedBy > profilesMax };
}
