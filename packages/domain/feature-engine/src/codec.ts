import { defineState, type VersionedState } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';
import { ByteReader, ByteWriter } from './bytes.js';
import { EMPTY_MEMORY, type IdMemory, toStamp } from './id-memory.js';
import { MESSAGE_MEMORY } from './message-memory.js';
import { ORDER_MEMORY } from './order-memory.js';
import type { FeaturePlan } from './plan.js';
import { readHashes, writeHashes } from './stamped-hashes-codec.js';
import { checkSpec, type EngineState } from './state.js';

/** First byte of an encoded state. Every layout change raises it and keeps a decoder for the previous layout. */
const STATE_FORMAT_VERSION = 3;

/** Bytes of the spec's hash that follow the version, in every version. */
const PREFIX_BYTES = 8;

/**
 * The states of one spec as bytes: version, start of the spec's hash, time, slots in order, ids of messages and orders. Varints throughout, times as
 * distances from the state's own. Version 2 has no orders; version 1 was written by no release.
 */
export function createStateFormat(plan: FeaturePlan): VersionedState<EngineState> {
  return defineState({
    name: 'feature state',
    current: STATE_FORMAT_VERSION,
    versions: {
      2: (bytes) => readState(bytes, plan, { hasOrders: false }),
      3: (bytes) => readState(bytes, plan, { hasOrders: true }),
    },
    encode: (state) => writeState(state, plan),
  });
}

/** The first 8 bytes, in hex, of the hash of the spec that made a state; throws `contract_violation` for none. */
export function readSpecPrefix(bytes: Uint8Array): string {
  const reader = new ByteReader(bytes);
  reader.varint();
  return reader.raw(PREFIX_BYTES).toString('hex');
}

function writeState(state: EngineState, plan: FeaturePlan): Buffer {
  checkSpec(plan, state);
  const writer = new ByteWriter();
  writer.varint(STATE_FORMAT_VERSION);
  writer.raw(toPrefixBytes(plan.specHash));
  writer.signed(state.asOfMs);
  for (let index = 0; index < plan.slots.length; index += 1) {
    plan.slots[index]?.encode(writer, state.slots[index], state.asOfMs);
  }
  writeMemory(writer, state.messages, toStamp(state.asOfMs, MESSAGE_MEMORY));
  writeMemory(writer, state.orders, toStamp(state.asOfMs, ORDER_MEMORY));
  return writer.finish();
}

function readState(bytes: Buffer, plan: FeaturePlan, { hasOrders }: { readonly hasOrders: boolean }): EngineState {
  const reader = new ByteReader(bytes);
  reader.varint();
  checkPrefix(reader.raw(PREFIX_BYTES).toString('hex'), plan);
  const asOfMs = reader.signed();
  const slots = plan.slots.map((accumulator) => accumulator.decode(reader, asOfMs));
  const messages = readMemory(reader, toStamp(asOfMs, MESSAGE_MEMORY));
  const orders = hasOrders ? readMemory(reader, toStamp(asOfMs, ORDER_MEMORY)) : EMPTY_MEMORY;
  reader.finish();
  return { specHash: plan.specHash, asOfMs, slots, messages, orders };
}

function writeMemory(writer: ByteWriter, { ids, dropped }: IdMemory, newest: number): void {
  writeHashes(writer, ids, newest);
  writer.varint(dropped);
}

function readMemory(reader: ByteReader, newest: number): IdMemory {
  return { ids: readHashes(reader, newest), dropped: reader.varint() };
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
