import { type Rollout, toPartition } from '@perennial/contracts';
import type { EventArchive } from '@perennial/event-archive';
import { AppError, must } from '@perennial/kernel';
import type { StoredProfile } from '../identity/stored-profile.js';
import { type Cut, leaverOf, toReplayOrder } from './cuts.js';
import { type Definition, KeyReplay, type Records, type SentRecords } from './key-replay.js';

/** Records between two pauses of the event loop. */
const RECORDS_AT_ONCE_MAX = 500;

export interface ReplayOptions {
  readonly definition: Definition;
  readonly archive: Pick<EventArchive, 'list' | 'readChain'>;
  readonly partitions: number;
  readonly current: Cut;
  /** Unmerges that are done, oldest first. */
  readonly earlier: readonly Cut[];
  /** By partition: the fill in force and the rollout of its spec. */
  readonly filled: ReadonlyArray<{ readonly fill: Rollout; readonly features: Rollout } | undefined>;
  readonly signal?: AbortSignal | undefined;
  /** Asked now and then: false ends the reading. */
  readonly goesOn?: () => Promise<boolean>;
}

export interface ReplayedPair {
  readonly leaver: StoredProfile | undefined;
  readonly stayer: StoredProfile | undefined;
}

/**
 * Both profiles of an unmerge as they would be, had they never been joined, each below the record with which it began
 * there. Undefined while the archive does not reach those records, or it is not to go on: call again later. Equal logs give
 * equal states. Throws `data_damaged` when the archive lacks records.
 */
export async function replayUnmerge(options: ReplayOptions): Promise<ReplayedPair | undefined> {
  const { current, earlier } = options;
  const sent: SentRecords = { excluded: new Set(), handOvers: new Map() };
  const replays = new Map<string, KeyReplay>();
  for (const key of toReplayOrder(current, earlier)) {
    const replay = await replayKey(options, key, sent);
    if (replay === undefined) return undefined;
    const isOfPath = current.path.some((one) => one.key === key);
    if (isOfPath && !replay.isComplete) return undefined;
    replays.set(key, replay);
  }
  const stayer = must(current.path.at(-1), 'the profile that is left').key;
  return { leaver: replays.get(leaverOf(current))?.state, stayer: replays.get(stayer)?.state };
}

async function replayKey(options: ReplayOptions, key: string, sent: SentRecords): Promise<KeyReplay | undefined> {
  const { archive, partitions, filled, signal, goesOn } = options;
  const partition = toPartition(key, partitions);
  const replay = new KeyReplay({ ...options, key, partition, sent, filled: filled[partition] });
  const chain = (await archive.list()).get(partition);
  if (chain === undefined) return replay;
  const gap = chain.first > 0 ? { from: 0, to: chain.first - 1 } : chain.gaps[0];
  if (gap !== undefined) {
    const lacking = `partition ${partition}: the archive lacks offsets ${gap.from} to ${gap.to}`;
    throw new AppError('data_damaged', `${lacking}: copy the missing files back`);
  }
  for await (const records of archive.readChain(chain, chain.next)) {
    for (let from = 0; from < records.length && !replay.isComplete; from += RECORDS_AT_ONCE_MAX) {
      await replay.take(records.slice(from, from + RECORDS_AT_ONCE_MAX) as Records);
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
      if ((await goesOn?.()) === false) return undefined;
    }
    if (replay.isComplete) break;
  }
  return replay;
}
