import type { ArtifactStore } from '@perennial/artifacts';
import type { BlobStore } from '@perennial/blob-store';
import type { EventArchive } from '@perennial/event-archive';
import { createStoredStates, type ProfileNode, toParts } from '@perennial/identity';
import { AppError, type Clock, systemClock } from '@perennial/kernel';
import { createProfileStates } from '../domain/profile-state.js';
import { decodeCheckpoint, encodeCheckpoint, type FillCheckpoint } from './checkpoint.js';
import type { FillPart, PartitionFill } from './fill-document.js';
import { FillFold, type FillTarget } from './fill-fold.js';
import { PartWriter } from './part-bytes.js';
import { StateTable } from './state-table.js';

const FILL_LIMITS = {
  /** Records between two pauses of the event loop, 1 to 2 ms: reads over HTTP wait for them. */
  recordsAtOnceMax: 32,
  /** Records folded between two checkpoints; what is folded again after an interruption. */
  checkpointRecords: 200_000,
  /** Bytes of states in memory. A partition with more takes several passes over its archive. */
  stateBytesMax: 256 * 1_048_576,
  /** Share of one thread that a fill takes at most. */
  dutyShareMax: 0.5,
} as const;

export type FillLimits = { readonly [Name in keyof typeof FILL_LIMITS]: number };

export interface FillPartitionOptions {
  readonly namespace: string;
  readonly archive: Pick<EventArchive, 'list' | 'readLog'>;
  /** Holds checkpoints and results. */
  readonly blobs: BlobStore;
  readonly store: Pick<ArtifactStore, 'put'>;
  readonly target: FillTarget;
  /** Called after each file. */
  readonly onProgress?: (progress: { readonly next: number; readonly of: number }) => Promise<void> | void;
  readonly signal?: AbortSignal;
  readonly limits?: Partial<FillLimits>;
  /** Replaceable for tests. */
  readonly clock?: Clock;
}

/**
 * Fills one partition from what is archived of it, beginning at its last checkpoint. Undefined while the archive does
 * not reach the spec's position: call again later. Equal logs give equal fills, however often it was interrupted.
 * Throws `data_damaged` when the archive lacks records.
 */
export async function fillPartition(
  options: FillPartitionOptions,
  partition: number,
): Promise<PartitionFill | undefined> {
  const { blobs, target } = options;
  const names = toFillNames(options.namespace, target.hash, partition);
  const done = await blobs.get(names.result);
  if (done !== undefined) return JSON.parse(done.toString()) as PartitionFill;
  const stored = await blobs.get(names.checkpoint);
  let pass = new Pass(options, partition, stored && decodeCheckpoint(stored));
  for (;;) {
    const until = await pass.run();
    if (until === undefined) return undefined;
    const next = await pass.finish();
    if (next === undefined) {
      const fill = pass.toFill(until);
      await blobs.put(names.result, Buffer.from(JSON.stringify(fill)));
      await blobs.delete(names.checkpoint);
      return fill;
    }
    pass = new Pass(options, partition, next);
  }
}

/** Keys of the objects that are not named by a hash. */
export function toFillNames(namespace: string, hash: string, partition: number) {
  const prefix = `${namespace}/feature-fills/${hash}/`;
  const place = `${prefix}p${String(partition).padStart(4, '0')}`;
  return { prefix, result: `${place}.json`, checkpoint: `${place}.checkpoint` };
}

/** One reading of a partition's archive, for the profiles of which the states are in memory. */
class Pass {
  readonly #options: FillPartitionOptions;
  readonly #limits: FillLimits;
  readonly #clock: Clock;
  readonly #partition: number;
  readonly #table: StateTable;
  readonly #fold: FillFold;
  readonly #stored: ReturnType<typeof createStoredStates>;
  readonly #parts: FillPart[];
  readonly #writer: PartWriter;
  #profiles: number;

  constructor(options: FillPartitionOptions, partition: number, from: Partial<FillCheckpoint> = {}) {
    const { target, store } = options;
    this.#options = options;
    this.#limits = { ...FILL_LIMITS, ...options.limits };
    this.#clock = options.clock ?? systemClock;
    this.#partition = partition;
    const { range = { from: '', to: undefined }, entries = [] } = from;
    this.#table = new StateTable(target.spec, { range, entries, bytesMax: this.#limits.stateBytesMax });
    this.#stored = createStoredStates(createProfileStates(target.specs));
    const nodes = new Map<string, ProfileNode>();
    for (const { key, state } of from.nodes ?? []) {
      const { node } = toParts(this.#stored.decode(state));
      if (node.kind !== 'ledger') nodes.set(key, node);
    }
    this.#fold = new FillFold(target, this.#table, { from: from.position, nodes, series: from.series ?? [] });
    this.#parts = [...(from.parts ?? [])];
    this.#profiles = from.profiles ?? 0;
    this.#writer = new PartWriter(async (first, bytes) => {
      this.#parts.push({ first, hash: await store.put('feature-fill-part', bytes) });
    }, from.open);
  }

  /** Folds what is archived; the spec's position if that was reached. */
  async run(): Promise<number | undefined> {
    const { archive, signal, onProgress } = this.#options;
    const { recordsAtOnceMax, checkpointRecords } = this.#limits;
    const archived = await this.#findArchived();
    if (archived === undefined) return undefined;
    let sinceCheckpoint = 0;
    let workedFromMs = this.#clock.steadyMs();
    for await (const records of archive.readLog(archived, archived.next)) {
      for (let from = 0; from < records.length && this.#fold.until === undefined; from += recordsAtOnceMax) {
        await this.#fold.fold(records.slice(from, from + recordsAtOnceMax));
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
      }
      await onProgress?.({ next: this.#fold.position.next, of: archived.next });
      if (this.#fold.until !== undefined) return this.#fold.until;
      sinceCheckpoint += records.length;
      if (sinceCheckpoint >= checkpointRecords) {
        await this.#save();
        sinceCheckpoint = 0;
      }
      workedFromMs = await this.#rest(workedFromMs);
    }
    if (sinceCheckpoint > 0) await this.#save();
    return undefined;
  }

  /** Writes the states; the beginning of the next pass, or undefined after the last one. */
  async finish(): Promise<Partial<FillCheckpoint> | undefined> {
    const { spec } = this.#options.target;
    for (const { key, state } of this.#table.entries()) {
      await this.#writer.add({ key, state: spec.encode(spec.withoutMemories(spec.decode(state))) });
      this.#profiles += 1;
    }
    const { to } = this.#table.range;
    if (to === undefined) {
      await this.#writer.finish();
      return undefined;
    }
    const { open } = this.#writer;
    return { range: { from: to, to: undefined }, parts: this.#parts, profiles: this.#profiles, open };
  }

  toFill(until: number): PartitionFill {
    return { until, profiles: this.#profiles, parts: this.#parts };
  }

  /** The rest of the archive; undefined while there is none. */
  async #findArchived() {
    const archived = (await this.#options.archive.list()).get(this.#partition);
    const { next } = this.#fold.position;
    if (archived === undefined || archived.next <= next) return undefined;
    const gap = archived.first > 0 ? { from: 0, to: archived.first - 1 } : archived.gaps[0];
    if (gap !== undefined) {
      throw new AppError(
        'data_damaged',
        `partition ${this.#partition}: the archive lacks offsets ${gap.from} to ${gap.to}: copy the missing files back, or give the fill up`,
      );
    }
    return { ...archived, first: next, files: archived.files.filter(({ last }) => last >= next) };
  }

  async #save(): Promise<void> {
    const { blobs, namespace, target } = this.#options;
    // First: it may give up a part of the range.
    const entries = this.#table.entries();
    const checkpoint = encodeCheckpoint({
      position: this.#fold.position,
      range: this.#table.range,
      parts: this.#parts,
      profiles: this.#profiles,
      open: this.#writer.open,
      series: this.#fold.series,
      nodes: [...this.#fold.nodes].map(([key, node]) => ({
        key,
        state: this.#stored.encode({ node, profile: undefined }),
      })),
      entries,
    });
    await blobs.put(toFillNames(namespace, target.hash, this.#partition).checkpoint, checkpoint);
  }

  /** Live events come first: the fill rests as long as it worked. */
  async #rest(workedFromMs: number): Promise<number> {
    const { dutyShareMax } = this.#limits;
    const workedMs = this.#clock.steadyMs() - workedFromMs;
    await this.#clock.wait((workedMs * (1 - dutyShareMax)) / dutyShareMax, this.#options.signal);
    return this.#clock.steadyMs();
  }
}
