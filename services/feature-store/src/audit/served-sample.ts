import { FeatureRecord, HEADERS, parsePosition } from '@perennial/contracts';
import { toUnitInterval } from '@perennial/kernel';
import type { CausedUpdate } from './recompute.js';

/** Updates kept of one profile; of one with more, the newest are audited. */
const UPDATES_MAX = 2_000;

/** A record of `feature.updated`. */
interface ServedRecord {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The vectors that were published of some profiles: those whose keys come first in an order that the seed decides. Takes
 * all records of the topic, in any number, and keeps those of the sample alone.
 */
export class ServedSample {
  readonly #profilesMax: number;
  readonly #seed: string;
  readonly #rankMin: number;
  readonly #profiles = new Map<
    string,
    { readonly rank: number; readonly partition: number; updates: CausedUpdate[] }
  >();
  #rankMax = 1;
  /** By partition: the offsets between which everything that was caused is known. */
  readonly #reach = new Map<number, { readonly from: number; to: number }>();

  constructor({
    profilesMax,
    seed,
    rankMin = 0,
  }: {
    readonly profilesMax: number;
    readonly seed: string;
    /** Profiles below it in the order are left out: a sample before took them. */
    readonly rankMin?: number | undefined;
  }) {
    this.#profilesMax = profilesMax;
    this.#seed = seed;
    this.#rankMin = rankMin;
  }

  /** Where the next sample begins; undefined when this one has the last profiles in the order. */
  get rankNext(): number | undefined {
    return this.#rankMax === 1 ? undefined : this.#rankMax;
  }

  take({ partition, key, value, headers }: ServedRecord): void {
    const position = parsePosition(headers[HEADERS.position] ?? '');
    const record = decode(value);
    // What others have written into the topic, with a forged position too, says nothing of what was served.
    if (position === undefined || record === undefined) return;
    const { offset } = position;
    const reach = this.#reach.get(partition);
    // The topic may begin amid what one record caused.
    this.#reach.set(partition, { from: reach?.from ?? offset + 1, to: Math.max(reach?.to ?? 0, offset) });
    if (key === null || record.$case !== 'updated') return;
    this.#keep(key.toString(), partition, { key: key.toString(), offset, update: record.value });
  }

  /** Keys of the sample in a partition. */
  keysOf(partition: number): ReadonlySet<string> {
    return new Set([...this.#profiles].flatMap(([key, profile]) => (profile.partition === partition ? [key] : [])));
  }

  updatesOf(key: string): readonly CausedUpdate[] {
    return this.#profiles.get(key)?.updates ?? [];
  }

  reachOf(partition: number): { readonly from: number; readonly to: number } {
    return this.#reach.get(partition) ?? { from: 0, to: -1 };
  }

  /** A profile is in the sample from its first record on or never: the rank to beat only falls. */
  #keep(key: string, partition: number, update: CausedUpdate): void {
    const known = this.#profiles.get(key);
    if (known === undefined) {
      const rank = toUnitInterval(this.#seed, key);
      if (rank < this.#rankMin || rank >= this.#rankMax) return;
      this.#profiles.set(key, { rank, partition, updates: [update] });
      if (this.#profiles.size > this.#profilesMax) this.#dropLast();
      return;
    }
    known.updates.push(update);
    if (known.updates.length > 2 * UPDATES_MAX) known.updates = known.updates.slice(-UPDATES_MAX);
  }

  #dropLast(): void {
    let last: { key: string; rank: number } | undefined;
    for (const [key, { rank }] of this.#profiles) if (last === undefined || rank > last.rank) last = { key, rank };
    if (last === undefined) return;
    this.#profiles.delete(last.key);
    this.#rankMax = last.rank;
  }
}

/** Undefined for what is no record of this topic. */
function decode(value: Buffer | null): FeatureRecord['record'] {
  try {
    return FeatureRecord.decode(value ?? Buffer.alloc(0)).record;
  } catch {
    return undefined;
  }
}
