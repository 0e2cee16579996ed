import type { BlobStore } from '@perennial/blob-store';
import type { Rollout } from '@perennial/contracts';
import { decodeCheckpoint } from './checkpoint.js';
import type { PartitionFill } from './fill-document.js';
import { toFillNames } from './fill-partition.js';
import type { Fills } from './fills.js';
import { isFilling } from './fills.js';

/** How far the fill of one partition is. */
interface PartitionStatus {
  readonly partition: number;
  /** `waiting`: nothing is folded yet; `folding`; `filled`: until it is in force; `in force`. */
  readonly state: 'waiting' | 'folding' | 'filled' | 'in force';
  /** Offset of the next record to be folded; below it all were. */
  readonly next: number;
  /** Of a filled partition. */
  readonly profiles?: number;
}

export interface FillStatus {
  /** Of the feature spec in force on the first partition. `none`: it was never to be filled. */
  readonly state: 'none' | 'filling' | 'in force';
  /** Number and hash of the spec. */
  readonly number: number;
  readonly hash: string;
  readonly begunAt?: string;
  readonly partitions: readonly PartitionStatus[];
}

/** What is in force, and what the runners keep beside it, tell how far a fill is; no running process is asked. */
export async function readFillStatus(
  inForce: ReadonlyArray<ReadonlyMap<string, Rollout>>,
  { namespace, blobs, fills }: { readonly namespace: string; readonly blobs: BlobStore; readonly fills: Fills },
): Promise<FillStatus> {
  const { number = 0, hash = '' } = inForce[0]?.get('features') ?? {};
  const partitions: PartitionStatus[] = [];
  let state: FillStatus['state'] = 'none';
  for (const [partition, kinds] of inForce.entries()) {
    const fill = await fills.get(kinds);
    const filled = fill?.document.spec === hash ? fill.document.partitions[partition] : undefined;
    if (filled !== undefined) partitions.push({ partition, state: 'in force', next: filled.until, ...count(filled) });
    else if (isFilling(kinds, fill)) {
      partitions.push(await readPartition(blobs, toFillNames(namespace, hash, partition), partition));
      state = 'filling';
    }
  }
  if (state === 'none' && partitions.length > 0) state = 'in force';
  const begun = state === 'none' ? undefined : await blobs.get(`${toFillNames(namespace, hash, 0).prefix}begun`);
  const begunAt = begun === undefined ? {} : { begunAt: new Date(Number(begun.toString())).toISOString() };
  return { state, number, hash, ...begunAt, partitions };
}

async function readPartition(
  blobs: BlobStore,
  names: ReturnType<typeof toFillNames>,
  partition: number,
): Promise<PartitionStatus> {
  const done = await blobs.get(names.result);
  if (done !== undefined) {
    const fill = JSON.parse(done.toString()) as PartitionFill;
    return { partition, state: 'filled', next: fill.until, ...count(fill) };
  }
  const stored = await blobs.get(names.checkpoint);
  const next = (stored && decodeCheckpoint(stored))?.position.next ?? 0;
  return { partition, state: next === 0 ? 'waiting' : 'folding', next };
}

function count({ profiles }: PartitionFill) {
  return { profiles };
}
