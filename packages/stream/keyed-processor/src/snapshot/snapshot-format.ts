import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { AppError, toMessage, toSha256 } from '@perennial/kernel';
import { ByteReader, ByteWriter } from '../store/byte-codec.js';
import type { PartitionMeta, StoredProfile } from '../store/store.js';

/*
 * A snapshot is a manifest and chunks, all immutable. It is complete once its manifest exists.
 * Chunk: magic, version byte, then deflated: for each profile its key, due time (NaN for none) and state (null for a
 * tombstone), as in byte-codec.ts.
 * Manifest: SHA-256 of the rest in hex, a newline, JSON.
 */

export interface SnapshotChunk {
  /** Counts from 1. */
  readonly number: number;
  /**
   * Offset of the next record to be processed when these profiles were read: they include all records below it, and
   * none from it on.
   */
  readonly asOf: number;
  /** Profiles and tombstones. */
  readonly profiles: number;
  readonly bytes: number;
  readonly sha256: string;
}

export interface SnapshotManifest {
  readonly version: typeof FORMAT_VERSION;
  readonly id: string;
  /** The snapshot that this one is an increment to; null for a full one. */
  readonly parent: string | null;
  readonly namespace: string;
  readonly processor: string;
  readonly topic: string;
  readonly partition: number;
  readonly partitions: number;
  /** The partition's meta when the snapshot began, with ordinal 0. The catch-up of a restore starts here. */
  readonly begin: PartitionMeta;
  /** All outputs of records below this offset were acknowledged when the snapshot ended; no chunk was read above it. */
  readonly end: number;
  /** In the order of reading, so `asOf` never decreases. */
  readonly chunks: readonly SnapshotChunk[];
  readonly createdAtMs: number;
}

export const FORMAT_VERSION = 1;

const MAGIC = Buffer.from('PNSC');
/**
 * The fastest level: on states of the shipped services, higher levels take three times as long and save a few percent.
 */
const COMPRESSION_LEVEL = 1;
/** Maximum inflated size of a chunk; a larger one counts as damaged. */
const INFLATED_BYTES_MAX = 256 * 1024 * 1024;
const SHA256_HEX_CHARS = 64;

/**
 * Compressed synchronously, not in the thread pool: a chunk is bounded to take a few milliseconds, and a process whose
 * every step follows from its inputs can be simulated.
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

/** Throws `data_damaged` for bytes that are not a chunk, or are of another version. */
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

/** Throws `data_damaged` for bytes that are not a manifest, have a wrong checksum, or are of another version. */
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
