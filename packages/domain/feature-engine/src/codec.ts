import { defineState, type VersionedState } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import { ByteReader, ByteWriter } from './bytes.js';
import { readCorrections, writeCorrections } from './corrections/corrections-codec.js';
import { EMPTY_MEMORY, toStamp } from './id-memory.js';
import { readMemory, writeMemory } from './id-memory-codec.js';
import { MESSAGE_MEMORY } from './message-memory.js';
import { ORDER_MEMORY } from './order-memory.js';
import type { FeaturePlan } from './plan.js';
import { checkSpec, type EngineState } from './state.js';

/** First byte of an encoded state. Every layout change raises it and keeps a decoder for the previous layout. */
const STATE_FORMAT_VERSION = 4;

/** Of a state without corrections: its bytes are those that it had before there were any. */
const PLAIN_VERSION = 3;

/** Bytes of the spec's hash that follow the version, in every version. */
const PREFIX_BYTES = 8;

/**
 * The states of one spec as bytes: version, start of the spec's hash, time, slots in order, ids of messages and orders. Varints throughout, times as
 * distances from the state's own. A lazy one decodes what no vector is read from when it is first used: ids are two thirds of the bytes of
 * a profile with many events. Version 4 adds what the profile knows of corrections. Version 2 has no orders; version 1 was
 * written by no release.
 */
export function createStateFormat(
  plan: FeaturePlan,
  { isLazy = false }: { readonly isLazy?: boolean } = {},
): VersionedState<EngineState> {
  return defineState({
    name: 'feature state',
    current: STATE_FORMAT_VERSION,
    plain: PLAIN_VERSION,
    versions: {
      2: (bytes) => readState(bytes, plan, { isLazy, hasOrders: false }),
      3: (bytes) => readState(bytes, plan, { isLazy, hasOrders: true }),
      4: (bytes) => readState(bytes, plan, { isLazy, hasOrders: true, hasCorrections: true }),
    },
    encode: (state) => writeState(state, plan),
  });
}

/** The first 8 bytes, in hex, of the hash of the spec that made a state; throws `contract_violation` for none. */
export function readSpecPrefix(bytes: Uint8Array): string {
  const reader = new ByteReader(bytes);
  // One byte, whatever it is: that of a later release may have any bit.
  reader.raw(1);
  return reader.raw(PREFIX_BYTES).toString('hex');
}

function writeState(state: EngineState, plan: FeaturePlan): Buffer {
  checkSpec(plan, state);
  const writer = new ByteWriter();
  writer.varint(state.corrections === undefined ? PLAIN_VERSION : STATE_FORMAT_VERSION);
  writer.raw(toPrefixBytes(plan.specHash));
  writer.signed(state.asOfMs);
  for (let index = 0; index < plan.slots.length; index += 1) {
    plan.slots[index]?.encode(writer, state.slots[index], state.asOfMs);
  }
  writeMemory(writer, state.messages, toStamp(state.asOfMs, MESSAGE_MEMORY));
  writeMemory(writer, state.orders, toStamp(state.asOfMs, ORDER_MEMORY));
  if (state.corrections !== undefined) writeCorrections(writer, state.corrections, state.asOfMs);
  return writer.finish();
}

function readState(
  bytes: Buffer,
  plan: FeaturePlan,
  { isLazy, ...parts }: Parts & { readonly isLazy: boolean },
): EngineState {
  const reader = new ByteReader(bytes, { isLazy });
  reader.varint();
  checkPrefix(reader.raw(PREFIX_BYTES).toString('hex'), plan);
  const asOfMs = reader.signed();
  const slots = plan.slots.map((accumulator) => accumulator.decode(reader, asOfMs));
  const head = { specHash: plan.specHash, asOfMs, slots };
  if (isLazy && reader.left >= LAZY_BYTES_MIN) return withLazyTail(head, reader, parts);
  return { ...head, ...readTail(reader, asOfMs, parts) };
}

/** Of fewer, decoding them takes less than what it takes to decode them later. */
const LAZY_BYTES_MIN = 1_024;

interface Parts {
  readonly hasOrders: boolean;
  readonly hasCorrections?: boolean;
}

type Head = Pick<EngineState, 'specHash' | 'asOfMs' | 'slots'>;
type Tail = Omit<EngineState, keyof Head>;

function readTail(reader: ByteReader, asOfMs: number, { hasOrders, hasCorrections = false }: Parts): Tail {
  const messages = readMemory(reader, toStamp(asOfMs, MESSAGE_MEMORY));
  const orders = hasOrders ? readMemory(reader, toStamp(asOfMs, ORDER_MEMORY)) : EMPTY_MEMORY;
  const corrections = hasCorrections ? { corrections: readCorrections(reader, asOfMs) } : {};
  reader.finish();
  return { messages, orders, ...corrections };
}

/** Own properties, so that a copy of the state has them too. */
function withLazyTail(head: Head, reader: ByteReader, parts: Parts): EngineState {
  let tail: Tail | undefined;
  const take = () => {
    tail ??= readTail(reader.fork(), head.asOfMs, parts);
    return tail;
  };
  const memories = {
    ...head,
    get messages() {
      return take().messages;
    },
    get orders() {
      return take().orders;
    },
  };
  if (parts.hasCorrections !== true) return memories;
  return Object.defineProperty(memories, 'corrections', { get: () => take().corrections, enumerable: true });
}

function checkPrefix(prefix: string, { specHash }: FeaturePlan): void {
  if (specHash.startsWith(prefix)) return;
  throw new AppError('contract_violation', `made under spec ${prefix}..., it is read under ${specHash}`);
}

const prefixes = new Map<string, Buffer>();

/** Cached by hash, since a process has few specs: parsing hex per state would take a tenth of the encoding time. */
function toPrefixBytes(specHash: string): Buffer {
  const known = prefixes.get(specHash);
  if (known !== undefined) return known;
  const prefix = Buffer.from(specHash, 'hex').subarray(0, PREFIX_BYTES);
  prefixes.set(specHash, prefix);
  return prefix;
}
