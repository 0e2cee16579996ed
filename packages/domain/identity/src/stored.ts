import { defineState, encodeMessage, HeldRecords, type VersionedState } from '@perennial/contracts';
import { type IdentityNode, LONE_ROOT } from './node.js';
import { decodeNode, encodeNode } from './node-codec.js';

/** What is stored under a key: a profile that nobody has joined as it is, else what the key knows of joins too. */
export type Stored<State extends object> = State | StoredNode<State>;

export interface StoredNode<State> {
  readonly node: IdentityNode;
  /** Absent in most forwarders, and before the first event. */
  readonly profile: State | undefined;
  /** What came while an unmerge is under way, to be taken again at its end; undefined for none. */
  readonly held?: readonly HeldRecord[] | undefined;
}

/** A record that came while a profile leaves. */
export interface HeldRecord {
  readonly logTimeMs: number;
  readonly value: Buffer;
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
  const isSame = after.node === known.node && after.profile === known.profile && after.held === known.held;
  if (isSame) return before;
  return after.node === LONE_ROOT && after.held === undefined ? after.profile : after;
}

/** Versions below are those of profiles that nobody has joined. */
const JOINED_VERSION = 16;
/** Of what is longer: records that are held, and the ledger. */
const LONG_VERSION = 17;
const HEAD_BYTES = 3;
const LONG_HEAD_BYTES = 9;

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
  const long = defineState<StoredNode<State>>({
    name: 'profile with held records',
    current: LONG_VERSION,
    versions: { [LONG_VERSION]: (bytes) => decodeLong(bytes, profiles) },
    encode: (state) => encodeLong(state, profiles),
  });
  return {
    encode: (stored) => {
      if (!('node' in stored)) return profiles.encode(stored);
      return isLong(stored) ? long.encode(stored) : joined.encode(stored);
    },
    decode: (bytes) => {
      const version = toVersion(bytes);
      if (version === LONG_VERSION) return long.decode(bytes);
      return version === JOINED_VERSION ? joined.decode(bytes) : profiles.decode(bytes);
    },
  };
}

/** The ledger may be longer than the other form can hold. */
function isLong<State>({ node, held }: StoredNode<State>): boolean {
  return held !== undefined || node.kind === 'ledger';
}

/** The highest bit marks bytes of a release that is to come, in which harnesses run this one. */
function toVersion(bytes: Buffer): number {
  return (bytes[0] ?? 0) & 0x7f;
}

/** Layout: version (1 byte), length of the node (2), the node, and the profile's bytes to the end, none for no profile. */
function encode<State>({ node, profile }: StoredNode<State>, profiles: VersionedState<State>): Buffer {
  const nodeBytes = encodeNode(node);
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUInt8(JOINED_VERSION, 0);
  head.writeUInt16BE(nodeBytes.length, 1);
  return Buffer.concat([head, nodeBytes, ...(profile === undefined ? [] : [profiles.encode(profile)])]);
}

/** Layout: version (1 byte), length of the node (4), of what is held (4), both, and the profile's bytes to the end. */
function encodeLong<State>({ node, profile, held }: StoredNode<State>, profiles: VersionedState<State>): Buffer {
  const nodeBytes = encodeNode(node);
  const heldBytes = held === undefined ? Buffer.alloc(0) : encodeMessage(HeldRecords, { records: [...held] });
  const head = Buffer.allocUnsafe(LONG_HEAD_BYTES);
  head.writeUInt8(LONG_VERSION, 0);
  head.writeUInt32BE(nodeBytes.length, 1);
  // One more than it is: nothing held is not the same as an empty list.
  head.writeUInt32BE(held === undefined ? 0 : heldBytes.length + 1, 5);
  const end = profile === undefined ? [] : [profiles.encode(profile)];
  return Buffer.concat([head, nodeBytes, heldBytes, ...end]);
}

function decode<State>(bytes: Buffer, profiles: VersionedState<State>): StoredNode<State> {
  if (bytes.length < HEAD_BYTES) throw new Error(`it has ${bytes.length} bytes`);
  const nodeEnd = HEAD_BYTES + bytes.readUInt16BE(1);
  if (nodeEnd > bytes.length) throw new Error('it ends early');
  const node = decodeNode(bytes.subarray(HEAD_BYTES, nodeEnd));
  return { node, profile: decodeProfile(bytes.subarray(nodeEnd), profiles) };
}

function decodeLong<State>(bytes: Buffer, profiles: VersionedState<State>): StoredNode<State> {
  if (bytes.length < LONG_HEAD_BYTES) throw new Error(`it has ${bytes.length} bytes`);
  const nodeEnd = LONG_HEAD_BYTES + bytes.readUInt32BE(1);
  const heldBytes = bytes.readUInt32BE(5);
  const heldEnd = nodeEnd + Math.max(0, heldBytes - 1);
  if (heldEnd > bytes.length) throw new Error('it ends early');
  const node = decodeNode(bytes.subarray(LONG_HEAD_BYTES, nodeEnd));
  const profile = decodeProfile(bytes.subarray(heldEnd), profiles);
  if (heldBytes === 0) return { node, profile };
  const { records } = HeldRecords.decode(bytes.subarray(nodeEnd, heldEnd));
  // Copies: a slice would keep the whole Redis reply in memory.
  return { node, profile, held: records.map(({ logTimeMs, value }) => ({ logTimeMs, value: Buffer.from(value) })) };
}

function decodeProfile<State>(bytes: Buffer, profiles: VersionedState<State>): State | undefined {
  return bytes.length === 0 ? undefined : profiles.decode(bytes);
}
