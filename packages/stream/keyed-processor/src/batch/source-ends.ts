import type { PartitionOffsets } from '@perennial/kafka';
import type { PartitionMeta } from '../store/store.js';
import type { LocatedRecord } from './located-record.js';

/** How far the logs of the sources reach. */
export interface KnownEnds {
  /** Offset that the next record of that partition will get, as last read. */
  endOf(topic: string, partition: number): number;
}

/** For records that come from their source itself, as in a rebuild: nothing is to be checked. */
export const TRUSTED_ENDS: KnownEnds = { endOf: () => Number.POSITIVE_INFINITY };

/**
 * The ends of the sources' logs, read only when a position lies at or above the last known one. An output is published
 * after its cause was read, so an offset beyond the end can only be made up. Shared by the workers of a processor: one
 * request answers for all partitions of a topic.
 */
export class SourceEnds implements KnownEnds {
  readonly #readOffsets: (topic: string) => Promise<ReadonlyMap<number, PartitionOffsets>>;
  readonly #known = new Map<string, ReadonlyMap<number, PartitionOffsets>>();

  constructor(readOffsets: (topic: string) => Promise<ReadonlyMap<number, PartitionOffsets>>) {
    this.#readOffsets = readOffsets;
  }

  /**
   * Reads what is needed to judge these records, at most one request a source. Throws what the log throws: a batch is
   * not judged by an end that is unknown.
   */
  async cover(records: readonly LocatedRecord[], applied: PartitionMeta['applied']): Promise<void> {
    const topics = new Set<string>();
    for (const located of records) {
      if (located.origin !== 'source' || located.below !== undefined) continue;
      const { position, topic, partition } = located;
      const offset = Math.max(position.offset, applied[position.source]?.offset ?? 0);
      if (offset >= this.endOf(topic, partition)) topics.add(topic);
    }
    await Promise.all([...topics].map(async (topic) => this.#known.set(topic, await this.#readOffsets(topic))));
  }

  endOf(topic: string, partition: number): number {
    return this.#known.get(topic)?.get(partition)?.high ?? 0;
  }
}
