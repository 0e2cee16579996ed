import { toSha256 } from '@perennial/kernel';
import type { FillPart } from './fill-document.js';
import type { FoldPosition } from './fill-fold.js';
import { decodePart, encodePart, type PartEntry } from './part-bytes.js';
import type { KeyRange } from './state-table.js';

/** An unfinished fill of one partition. */
export interface FillCheckpoint {
  readonly position: FoldPosition;
  readonly range: KeyRange;
  /** What earlier passes have written, and their last states, which are in no part yet. */
  readonly parts: readonly FillPart[];
  readonly profiles: number;
  readonly open: readonly PartEntry[];
  /** The states of this pass. */
  readonly entries: readonly PartEntry[];
}

const HASH_BYTES = 32;

/** SHA-256 over the rest, length of the JSON (4 bytes), JSON, states in no part (with their length, 4), states of the pass. */
export function encodeCheckpoint({ open, entries, ...rest }: FillCheckpoint): Buffer {
  const json = Buffer.from(JSON.stringify(rest));
  const openBytes = encodePart(open);
  const body = Buffer.concat([toLength(json), json, toLength(openBytes), openBytes, encodePart(entries)]);
  return Buffer.concat([Buffer.from(toSha256(body), 'hex'), body]);
}

/** Undefined for damaged bytes: the partition begins again. */
export function decodeCheckpoint(bytes: Buffer): FillCheckpoint | undefined {
  const body = bytes.subarray(HASH_BYTES);
  if (toSha256(body) !== bytes.toString('hex', 0, HASH_BYTES)) return undefined;
  const jsonEnd = 4 + body.readUInt32BE(0);
  const rest = JSON.parse(body.toString('utf8', 4, jsonEnd)) as Omit<FillCheckpoint, 'open' | 'entries'>;
  const openEnd = jsonEnd + 4 + body.readUInt32BE(jsonEnd);
  return {
    ...rest,
    open: toEntries(body.subarray(jsonEnd + 4, openEnd)),
    entries: toEntries(body.subarray(openEnd)),
  };
}

function toEntries(bytes: Buffer): PartEntry[] {
  return [...decodePart(bytes)].map(([key, state]) => ({ key, state }));
}

function toLength(bytes: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length);
  return length;
}
