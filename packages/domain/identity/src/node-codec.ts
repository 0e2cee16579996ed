import {
  encodeMessage,
  IdentityNode as IdentityMessage,
  type ProfileRef as ProfileMessage,
} from '@perennial/contracts';
import type { ChangeState, IdentityChange, LedgerNode } from './ledger.js';
import type { IdentityNode, Leaving, ProfileNode } from './node.js';
import type { ProfileRef } from './profile-ref.js';

export function encodeNode(node: IdentityNode): Buffer {
  return encodeMessage(IdentityMessage, toMessage(node));
}

/** Throws for bytes that hold no node. */
export function decodeNode(bytes: Buffer): IdentityNode {
  const message = IdentityMessage.decode(bytes);
  if (message.ledger !== undefined) return toLedger(message.ledger);
  const { forwardsTo, sinceMs, members, cutOff, parted, leaving } = message;
  const both = { ...(parted && { parted }), ...(leaving && { leaving: toLeaving(leaving) }) };
  if (forwardsTo !== undefined) return { kind: 'forwarder', to: copyOf(forwardsTo), sinceMs, ...both };
  const own = members.map(({ key, joined, atMs }) => ({ key, isJoined: joined, atMs }));
  return { kind: 'root', members: own, cutOff, ...both };
}

function toMessage(node: IdentityNode): IdentityMessage {
  if (node.kind === 'ledger') return { ...NO_PROFILE, ledger: { ...node, entries: [...node.entries] } };
  const both = toBoth(node);
  if (node.kind === 'forwarder') return { ...NO_PROFILE, forwardsTo: node.to, sinceMs: node.sinceMs, ...both };
  const members = node.members.map(({ key, isJoined: joined, atMs }) => ({ key, joined, atMs }));
  return { ...NO_PROFILE, members, cutOff: node.cutOff, ...both };
}

const NO_PROFILE = { forwardsTo: undefined, sinceMs: 0, members: [], cutOff: 0 };

function toBoth({ parted, leaving }: ProfileNode): Pick<IdentityMessage, 'parted' | 'leaving'> {
  return {
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
