import { type Rollout, toPartition } from '@perennial/contracts';
import type { EventArchive } from '@perennial/event-archive';
import { AppError, must } from '@perennial/kernel';
import type { StoredProfile } from '../identity/stored-profile.js';
import { type Cut, leaverOf, toRecomputeOrder } from './cuts.js';
import { type Definition, KeyRecomputation, type Records, type SentRecords } from './key-recomputation.js';

/** Records between two pauses of the event loop. */
const RECORDS_AT_ONCE_MAX = 500;

export interface RecomputeOptions {
  readonly definition: Definition;
  readonly archive: Pick<EventArchive, 'list' | 'readLog'>;
  readonly partitions: number;
  readonly current: Cut;
  /** Unmerges that are done, oldest first. */
  readonly earlier: readonly Cut[];
  /** By partition: the fill in force and the rollout of its spec. */
  readonly filled: ReadonlyArray<{ readonly fill: Rollout; readonly features: Rollout } | undefined>;
  readonly signal?: AbortSignal | undefined;
  /** Asked now and then: false ends the reading. */
  readonly goesOn?: () => Promise<boolean>;
  /** Lets other work of the process go on; replaceable for virtual time. */
  readonly pause?: (() => Promise<void>) | undefined;
}

export interface RecomputedPair {
  readonly leaver: StoredProfile | undefined;
  readonly stayer: StoredProfile | undefined;
}

/**
 * Both profiles of an unmerge as they would be, had they never been joined, each below the record with which it began
 * there. Undefined while the archive does not reach those records, or it is not to go on: call again later. Equal logs give
 * equal states. Throws `data_damaged` when the archive lacks records.
 */
export async function recomputeUnmerge(options: RecomputeOptions): Promise<RecomputedPair | undefined> {
  const { current, earlier } = options;
  const sent: SentRecords = { excluded: new Set(), handOvers: new Map() };
  const recomputed = new Map<string, KeyRecomputation>();
  for (const key of toRecomputeOrder(current, earlier)) {
    const recomputation = await recomputeKey(options, key, sent);
    if (recomputation === undefined) return undefined;
    const isOfPath = current.path.some((one) => one.key === key);
    if (isOfPath && !recomputation.isComplete) return undefined;
    recomputed.set(key, recomputation);
  }
  const stayer = must(current.path.at(-1), 'the profile that is left').key;
  return { leaver: recomputed.get(leaverOf(current))?.state, stayer: recomputed.get(stayer)?.state };
}

async function recomputeKey(
  options: RecomputeOptions,
  key: string,
  sent: SentRecords,
): Promise<KeyRecomputation | undefined> {
  const { archive, partitions, filled, signal, goesOn, pause = takeTurn } = options;
  const partition = toPartition(key, partitions);
  const recomputation = new KeyRecomputation({ ...options, key, partition, sent, filled: filled[partition] });
  const archived = (await archive.list()).get(partition);
  if (archived === undefined) return recomputation;
  const gap = archived.first > 0 ? { from: 0, to: archived.first - 1 } : archived.gaps[0];
  if (gap !== undefined) {
    const lacking = `partition ${partition}: the archive lacks offsets ${gap.from} to ${gap.to}`;
    throw new AppError('data_damaged', `${lacking}: copy the missing files back`);
  }
  for await (const records of archive.readLog(archived, archived.next)) {
    for (let from = 0; from < records.length && !recomputation.isComplete; from += RECORDS_AT_ONCE_MAX) {
      await recomputation.take(records.slice(from, from + RECORDS_AT_ONCE_MAX) as Records);
      await pause();
      signal?.throwIfAborted();
      if ((await goesOn?.()) === false) return undefined;
    }
    if (recomputation.isComplete) break;
  }
  return recomputation;
}

function takeTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
