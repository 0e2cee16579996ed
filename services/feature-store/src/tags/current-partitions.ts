/** How far the log reaches, and how far the states follow it, by partition of `event.accepted`. */
export interface TagPositions {
  /** Offset of the next record to be written. */
  end(partition: number): Promise<number>;
  /** Offset below which all records are in the states. */
  applied(partition: number): Promise<number>;
}

/** Which partitions have states that hold all that the log had when one was first asked about. One is used for one request. */
export class CurrentPartitions {
  readonly #positions: TagPositions;
  readonly #ends = new Map<number, number>();
  readonly #current = new Set<number>();

  constructor(positions: TagPositions) {
    this.#positions = positions;
  }

  /** Call it before states are read: they are as of then at least. */
  async look(): Promise<void> {
    for (const [partition, end] of this.#ends) {
      if (!this.#current.has(partition) && (await this.#positions.applied(partition)) >= end)
        this.#current.add(partition);
    }
  }

  /**
   * Whether the states that were read after the last look are current. The partitions in the order in which a record passes them:
   * the end of one is taken when those before it are current, since what they forward is in it by then.
   */
  async includes(partitions: readonly number[]): Promise<boolean> {
    const behind = partitions.find((partition) => !this.#current.has(partition));
    if (behind === undefined) return true;
    if (!this.#ends.has(behind)) this.#ends.set(behind, await this.#positions.end(behind));
    return false;
  }
}
