import type { ProfileRef } from './profile-ref.js';

/** What a key knows of joins: it is a profile, or it forwards to another key for good. */
export type IdentityNode = RootNode | ForwarderNode;

export interface RootNode {
  readonly kind: 'root';
  /** In the order in which they were asked or came, at most `MEMBERS_MAX`. */
  readonly members: readonly Member[];
  /** Times that another id was cut off, the members being too many. */
  readonly cutOff: number;
}

export interface ForwarderNode {
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
}

/** Ids that one profile takes in: a person who clears cookies each week is below it for two years, an id that many share is not. */
export const MEMBERS_MAX = 128;

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
    if (known !== undefined) members[place] = member;
    else if (members.length < MEMBERS_MAX) members.push(member);
    else cutOff += 1;
  }
  return { kind: 'root', members, cutOff };
}
