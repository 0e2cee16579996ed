/** Offsets without a record, from the first up to `to`, exclusive. */
export interface PassedRange {
  readonly from: number;
  readonly to: number;
}

/** The newest offsets of each partition that have no record for a reader: control records, aborted transactions. */
export class PassedOffsets {
  readonly #ranges = new Map<number, PassedRange>();

  add(partition: number, range: PassedRange): void {
    const known = this.#ranges.get(partition);
    const continues = known !== undefined && known.to === range.from;
    this.#ranges.set(partition, continues ? { from: known.from, to: range.to } : range);
  }

  /** `next`, or the offset behind the range that contains it. */
  beyond(partition: number, next: number): number {
    const range = this.#ranges.get(partition);
    return range !== undefined && range.from <= next && next < range.to ? range.to : next;
  }
}
