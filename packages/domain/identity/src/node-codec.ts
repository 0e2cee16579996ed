import {
  encodeMessage,
  IdentityNode as IdentityMessage,
  type ProfileRef as ProfileMessage,
} from '@perennial/contracts';
import type { ChangeState, IdentityChange, LedgerNode } from './ledger.js';
import type { IdentityNode, Leaving, Member, ProfileNode } from './node.js';
import type { ProfileRef } from './profile-ref.js';

export function encodeNode(node: IdentityNode): Buffer {
  return encodeMessage(IdentityMessage, toMessage(node));
}

/** Throws for bytes that hold no node. */
export function decodeNode(bytes: Buffer): IdentityNode {
  const message = IdentityMessage.decode(bytes);
  if (message.ledger !== undefined) return toLedger(message.ledger);
  const { forwardsTo, sinceMs, members, cutOff, parted, leaving, namedBy } = message;
  const both = {
    ...(parted && { parted }),
    ...(leaving && { leaving: toLeaving(leaving) }),
    ...(namedBy !== undefined && { namedBy }),
  };
  if (forwardsTo !== undefined) return { kind: 'forwarder', to: copyOf(forwardsTo), sinceMs, ...both };
  const own = members.map(toMember);
  return { kind: 'root', members: own, cutOff, ...both };
}

function toMessage(node: IdentityNode): IdentityMessage {
  if (node.kind === 'ledger') return { ...NO_PROFILE, ledger: { ...node, entries: [...node.entries] } };
  const both = toBoth(node);
  if (node.kind === 'forwarder') return { ...NO_PROFILE, forwardsTo: node.to, sinceMs: node.sinceMs, ...both };
  const members = node.members.map(fromMember);
  return { ...NO_PROFILE, members, cutOff: node.cutOff, ...both };
}

const NO_PROFILE = { forwardsTo: undefined, sinceMs: 0, members: [], cutOff: 0 };

type MemberMessage = IdentityMessage['members'][number];

/** A member as a record or a state holds it. */
export function toMember({ joined: isJoined, key, atMs, strength }: MemberMessage): Member {
  return { key, isJoined, atMs, ...(strength !== undefined && { strength }) };
}

export function fromMember({ isJoined: joined, key, atMs, strength }: Member): MemberMessage {
  return { key, joined, atMs, ...(strength !== undefined && { strength }) };
}

function toBoth({ parted, leaving, namedBy }: ProfileNode): Pick<IdentityMessage, 'parted' | 'leaving' | 'namedBy'> {
  return {
    ...(namedBy !== undefined && { namedBy }),
    ...(parted && { parted: { apart: [...parted.apart], left: [...parted.left] } }),
    ...(leaving && { leaving }),
  };
}

function toLeaving(message: NonNullable<IdentityMessage['leaving']>): Leaving {
  return { ...message, leaver: copyOf(required(message.leaver)) };
}

function toLedger({ number, entries, document }: NonNullable<IdentityMessage['ledger']>): LedgerNode {
  return {
    kind: 'ledger',
    number,
    document,
    entries: entries.map(({ change, state, ...entry }) => ({
      ...entry,
      change: toChange(required(change)),
      state: state as ChangeState,
    })),
  };
}

type ChangeMessage = NonNullable<NonNullable<IdentityMessage['ledger']>['entries'][number]['change']>;

/** A change as a record or a state holds it. Throws for one that is none. */
export function toChange({ weaker, stronger, kind, ...change }: ChangeMessage): IdentityChange {
  if (kind !== 'merge' && kind !== 'unmerge') throw new Error(`a change of identities is no ${kind}`);
  return { ...change, kind, weaker: copyOf(required(weaker)), stronger: copyOf(required(stronger)) };
}

/** A copy: a slice would keep the whole Redis reply in memory. */
function copyOf(ref: ProfileMessage): ProfileRef {
  return { ...ref, subject: Buffer.from(ref.subject) };
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a node of identities lacks a profile');
  return value;
}
