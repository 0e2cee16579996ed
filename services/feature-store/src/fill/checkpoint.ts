import { toSha256 } from '@perennial/kernel';
import type { ValueSeries } from '../domain/outliers.js';
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
  /** What keys know of joins, as profiles without states. */
  readonly nodes: readonly PartEntry[];
  /** What the values of profiles are compared with; absent where there are none. */
  readonly series?: ReadonlyArray<readonly [string, readonly ValueSeries[]]>;
  /** The states of this pass. */
  readonly entries: readonly PartEntry[];
}

const HASH_BYTES = 32;

/** SHA-256 over the rest; JSON, open states, nodes, states of the pass and series, each with its length (4 bytes). */
export function encodeCheckpoint({ open, nodes, entries, series = [], ...rest }: FillCheckpoint): Buffer {
  // Entry by entry: as one text they may be longer than a string can be.
  const ownSeries = series.map(([key, own]) => ({ key, state: Buffer.from(JSON.stringify(own)) }));
  const sections = [Buffer.from(JSON.stringify(rest)), ...[open, nodes, entries, ownSeries].map(encodePart)];
  const body = Buffer.concat(sections.flatMap((section) => [toLength(section), section]));
  return Buffer.concat([Buffer.from(toSha256(body), 'hex'), body]);
}

/** Undefined for damaged bytes: the partition begins again. */
export function decodeCheckpoint(bytes: Buffer): FillCheckpoint | undefined {
  const body = bytes.subarray(HASH_BYTES);
  if (toSha256(body) !== bytes.toString('hex', 0, HASH_BYTES)) return undefined;
  let at = 0;
  const take = () => {
    const from = at + 4;
    at = from + body.readUInt32BE(at);
    return body.subarray(from, at);
  };
  const rest = JSON.parse(take().toString()) as Omit<FillCheckpoint, 'open' | 'nodes' | 'entries'>;
  const states = { open: toEntries(take()), nodes: toEntries(take()), entries: toEntries(take()) };
  // Releases before had no section of them.
  const series = at < body.length ? toEntries(take()) : [];
  return { ...rest, ...states, series: series.map(({ key, state }) => [key, JSON.parse(state.toString())] as const) };
}

function toEntries(bytes: Buffer): PartEntry[] {
  return [...decodePart(bytes)].map(([key, state]) => ({ key, state }));
}

function toLength(bytes: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(bytes.length);
  return length;
}
