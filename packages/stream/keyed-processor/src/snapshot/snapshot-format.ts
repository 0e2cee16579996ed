import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { AppError, toMessage, toSha256 } from '@perennial/kernel';
import { ByteReader, ByteWriter } from '../store/byte-codec.js';
import type { PartitionMeta, StoredProfile } from '../store/store.js';

/*
 * A snapshot is a manifest and chunks, none of which ever changes. It is complete when its manifest is there.
 * Chunk: magic, version byte, then deflated: for each profile its key, due time (NaN for none) and state (null for a
 * tombstone), as in byte-codec.ts. Manifest: SHA-256 of the rest in hex, a newline, JSON.
 */

export interface SnapshotChunk {
  /** Counts from 1. */
  readonly number: number;
  /** Offset of the next record to be processed when these profiles were read: they hold all records below, and none above. */
  readonly asOf: number;
  /** Profiles and tombstones. */
  readonly profiles: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface SnapshotManifest {
  readonly version: typeof FORMAT_VERSION;
  readonly id: string;
  /** The snapshot that this one adds to; null for a full one. */
  readonly parent: string | null;
  readonly namespace: string;
  readonly processor: string;
  readonly topic: string;
  readonly partition: number;
  readonly partitions: number;
  /** What the partition knew when the snapshot began; ordinal 0. A restore catches up with the log from here. */
  readonly begin: PartitionMeta;
  /** Every output of a record below this had been acknowledged when the snapshot ended; no chunk was read above it. */
  readonly end: number;
  /** In the order of reading, so `asOf` never falls. */
  readonly chunks: readonly SnapshotChunk[];
  readonly createdAtMs: number;
}

export const FORMAT_VERSION = 1;

const MAGIC = Buffer.from('PNSC');
/** The fastest: on states of the shipped services higher levels cost three times the time for a few percent. */
const COMPRESSION_LEVEL = 1;
/** What a damaged or foreign chunk may inflate to before it counts as damaged. */
const INFLATED_BYTES_MAX = 256 * 1024 * 1024;
const SHA256_HEX_CHARS = 64;

/**
 * Compressed at once, not in the thread pool: a chunk is bounded to take a few milliseconds, and a process whose every step
 * follows from its inputs can be simulated.
 */
export function encodeChunk(profiles: readonly StoredProfile[]): Buffer {
  const writer = new ByteWriter(profiles.reduce((sum, profile) => sum + toProfileBytes(profile), 0));
  for (const { key, dueAtMs, state } of profiles) {
    writer.string(key);
    writer.double(dueAtMs ?? Number.NaN);
    writer.bytes(state);
  }
  const deflated = deflateRawSync(writer.buffer, { level: COMPRESSION_LEVEL });
  return Buffer.concat([MAGIC, Buffer.from([FORMAT_VERSION]), deflated]);
}

/** Throws `data_damaged` for bytes that are no chunk, or one of another version. */
export function decodeChunk(bytes: Buffer): StoredProfile[] {
  const head = MAGIC.length + 1;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) throw damaged('not a chunk of a snapshot');
  const version = bytes[MAGIC.length];
  if (version !== FORMAT_VERSION) throw damaged(`a chunk of unknown version ${version}`);
  try {
    const inflated = inflateRawSync(bytes.subarray(head), { maxOutputLength: INFLATED_BYTES_MAX });
    const reader = new ByteReader(inflated, 'chunk');
    const profiles: StoredProfile[] = [];
    while (!reader.done) {
      const key = reader.string();
      const dueAtMs = reader.double();
      profiles.push({ key, dueAtMs: Number.isNaN(dueAtMs) ? null : dueAtMs, state: reader.bytes() });
    }
    return profiles;
  } catch (error) {
    throw damaged(`a chunk that cannot be read: ${toMessage(error)}`, error);
  }
}

export function encodeManifest(manifest: SnapshotManifest): Buffer {
  const json = JSON.stringify(manifest);
  return Buffer.from(`${toSha256(json)}\n${json}`);
}

/** Throws `data_damaged` for bytes that are no manifest, whose checksum is wrong, or of another version. */
export function decodeManifest(bytes: Buffer): SnapshotManifest {
  const json = bytes.subarray(SHA256_HEX_CHARS + 1);
  const sum = bytes.toString('latin1', 0, SHA256_HEX_CHARS);
  if (toSha256(json) !== sum) throw damaged('a manifest whose checksum is wrong');
  const manifest = JSON.parse(json.toString()) as SnapshotManifest;
  if (manifest.version !== FORMAT_VERSION) throw damaged(`a manifest of unknown version ${manifest.version}`);
  return manifest;
}

/** Bytes of one profile in a chunk before compression. */
export function toProfileBytes({ key, state }: StoredProfile): number {
  return 4 + Buffer.byteLength(key) + 8 + 4 + (state?.length ?? 0);
}

export function damaged(what: string, cause?: unknown): AppError {
  return new AppError('data_damaged', what, { cause });
}
