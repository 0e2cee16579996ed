import { AppError, assert } from '@perennial/kernel';

/*
 * What the archive gives of one spec, as immutable objects: parts hold states in the order of their keys, the document
 * names the parts by their hashes, and a rollout names the document by its own.
 */

/** A part, and the first key that it holds. */
export interface FillPart {
  readonly first: string;
  readonly hash: string;
}

/** The fill of one partition: the records below `until`. */
export interface PartitionFill {
  readonly until: number;
  readonly profiles: number;
  /** Ascending by key. */
  readonly parts: readonly FillPart[];
}

export interface FillDocument {
  /** Hash of the spec's artifact. */
  readonly spec: string;
  /** By partition, all of them. */
  readonly partitions: readonly PartitionFill[];
}

const VERSION = 1;

/** Equal fills give equal bytes. */
export function encodeFill({ spec, partitions }: FillDocument): Buffer {
  const compact = partitions.map(({ until, profiles, parts }) => ({
    until,
    profiles,
    parts: parts.map(({ first, hash }) => [first, hash]),
  }));
  return Buffer.from(`${JSON.stringify({ version: VERSION, spec, partitions: compact })}\n`);
}

/** Throws `artifact_invalid` for bytes that `encodeFill` did not make. */
export function decodeFill(bytes: Buffer): FillDocument {
  try {
    const { version, spec, partitions } = JSON.parse(bytes.toString()) as Raw;
    assert(version === VERSION && typeof spec === 'string' && Array.isArray(partitions), 'a fill of version 1');
    return { spec, partitions: partitions.map(toPartitionFill) };
  } catch (cause) {
    throw new AppError('artifact_invalid', 'it is no fill of version 1', { cause });
  }
}

interface Raw {
  readonly version: unknown;
  readonly spec: unknown;
  readonly partitions: ReadonlyArray<{ until: number; profiles: number; parts: Array<[string, string]> }>;
}

function toPartitionFill({ until, profiles, parts }: Raw['partitions'][number]): PartitionFill {
  return { until, profiles, parts: parts.map(([first, hash]) => ({ first, hash })) };
}

/** The part that would hold a key; undefined for a key before all parts. */
export function findPart({ parts }: PartitionFill, key: string): FillPart | undefined {
  let from = 0;
  let to = parts.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((parts[middle] as FillPart).first <= key) from = middle + 1;
    else to = middle;
  }
  return parts[from - 1];
}
