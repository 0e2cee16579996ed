import { defineState, encodeMessage, IdentityNode as IdentityMessage, type VersionedState } from '@perennial/contracts';
import { type IdentityNode, LONE_ROOT } from './node.js';
import type { ProfileRef } from './profile-ref.js';

/** What is stored under a key: a profile that nobody has joined as it is, else what the key knows of joins too. */
export type Stored<State extends object> = State | StoredNode<State>;

export interface StoredNode<State> {
  readonly node: IdentityNode;
  /** Absent in a forwarder, and before the first event. */
  readonly profile: State | undefined;
}

/** The parts of what is stored. */
export function toParts<State extends object>(stored: Stored<State> | undefined): StoredNode<State> {
  if (stored === undefined) return { node: LONE_ROOT, profile: undefined };
  return 'node' in stored ? stored : { node: LONE_ROOT, profile: stored };
}

/** What is to be stored; `before` when nothing changed. */
export function toStored<State extends object>(
  after: StoredNode<State>,
  before: Stored<State> | undefined,
): Stored<State> | undefined {
  const known = toParts(before);
  if (after.node === known.node && after.profile === known.profile) return before;
  return after.node === LONE_ROOT ? after.profile : after;
}

/** Versions below are those of profiles that nobody has joined. */
const JOINED_VERSION = 16;
const HEAD_BYTES = 3;

/** Codec of what is stored. A profile that nobody has joined has the bytes that `profiles` gives. */
export function createStoredStates<State extends object>(
  profiles: VersionedState<State>,
): VersionedState<Stored<State>> {
  const joined = defineState<StoredNode<State>>({
    name: 'joined profile',
    current: JOINED_VERSION,
    versions: { [JOINED_VERSION]: (bytes) => decode(bytes, profiles) },
    encode: (state) => encode(state, profiles),
  });
  return {
    encode: (stored) => ('node' in stored ? joined.encode(stored) : profiles.encode(stored)),
    decode: (bytes) => (isJoined(bytes) ? joined.decode(bytes) : profiles.decode(bytes)),
  };
}

/** The highest bit marks bytes of a release that is to come, in which harnesses run this one. */
function isJoined(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0x7f) === JOINED_VERSION;
}

/** Layout: version (1 byte), length of the node (2), the node, and the profile's bytes to the end, none for no profile. */
function encode<State>({ node, profile }: StoredNode<State>, profiles: VersionedState<State>): Buffer {
  const nodeBytes = encodeMessage(IdentityMessage, toMessage(node));
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt8(JOINED_VERSION, 0);
  head.writeUInt16BE(nodeBytes.length, 1);
  return Buffer.concat([head, nodeBytes, ...(profile === undefined ? [] : [profiles.encode(profile)])]);
}

function decode<State>(bytes: Buffer, profiles: VersionedState<State>): StoredNode<State> {
  if (bytes.length < HEAD_BYTES) throw new Error(`it has ${bytes.length} bytes`);
  const nodeEnd = HEAD_BYTES + bytes.readUInt16BE(1);
  if (nodeEnd > bytes.length) throw new Error('it ends early');
  const node = fromMessage(IdentityMessage.decode(bytes.subarray(HEAD_BYTES, nodeEnd)));
  const profile = nodeEnd === bytes.length ? undefined : profiles.decode(bytes.subarray(nodeEnd));
  return { node, profile };
}

function toMessage(node: IdentityNode): IdentityMessage {
  if (node.kind === 'forwarder') return { forwardsTo: node.to, sinceMs: node.sinceMs, members: [], cutOff: 0 };
  const members = node.members.map(({ key, isJoined: joined, atMs }) => ({ key, joined, atMs }));
  return { forwardsTo: undefined, sinceMs: 0, members, cutOff: node.cutOff };
}

function fromMessage({ forwardsTo, sinceMs, members, cutOff }: IdentityMessage): IdentityNode {
  // A copy: a slice would keep the whole Redis reply in memory.
  const copyOf = (ref: ProfileRef) => ({ ...ref, subject: Buffer.from(ref.subject) });
  if (forwardsTo !== undefined) return { kind: 'forwarder', to: copyOf(forwardsTo), sinceMs };
  return { kind: 'root', members: members.map(({ key, joined, atMs }) => ({ key, isJoined: joined, atMs })), cutOff };
}
