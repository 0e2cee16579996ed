import { type LogRecord, type OutgoingRecord, type PartitionOffsets, sizeOfRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';

interface MemoryPartition {
  /** Offset of `slots[0]`. */
  low: number;
  /** By offset: a record, or nothing for a control record. */
  readonly slots: Array<LogRecord | undefined>;
  waiting: Array<() => void>;
}

/** One topic in memory: append, read, trim. */
export class MemoryTopic {
  readonly name: string;
  readonly #partitions: MemoryPartition[];

  constructor(name: string, partitions: number) {
    this.name = name;
    this.#partitions = Array.from({ length: partitions }, () => ({ low: 0, slots: [], waiting: [] }));
  }

  get partitions(): number {
    return this.#partitions.length;
  }

  append(record: OutgoingRecord, timestampMs: number): void {
    const partition = this.#partition(record.partition);
    this.#push(partition, { ...record, offset: partition.low + partition.slots.length, timestampMs });
  }

  /** An offset without a record for readers, as the end of a transaction has one. */
  appendControl(number: number): void {
    this.#push(this.#partition(number), undefined);
  }

  #push(partition: MemoryPartition, slot: LogRecord | undefined): void {
    partition.slots.push(slot);
    const waiting = partition.waiting;
    partition.waiting = [];
    for (const wake of waiting) wake();
  }

  /** Records from `offset` on, at least one if there is one, about `bytesMax` at most; and the offset behind them. */
  read(number: number, offset: number, bytesMax: number): { records: LogRecord[]; next: number } {
    const { low, slots } = this.#partition(number);
    const records: LogRecord[] = [];
    let bytes = 0;
    let index = Math.max(0, offset - low);
    for (; index < slots.length; index++) {
      const record = slots[index];
      if (record === undefined) continue;
      bytes += sizeOfRecord(record);
      if (records.length > 0 && bytes > bytesMax) break;
      records.push(record);
    }
    return { records, next: low + index };
  }

  records(number: number): readonly LogRecord[] {
    return this.#partition(number).slots.filter((record) => record !== undefined);
  }

  offsets(number: number): PartitionOffsets {
    const { low, slots } = this.#partition(number);
    return { low, high: low + slots.length };
  }

  /** Drops records below `low`, as retention does. */
  trim(number: number, low: number): void {
    const partition = this.#partition(number);
    const count = Math.max(0, Math.min(low - partition.low, partition.slots.length));
    partition.slots.splice(0, count);
    partition.low += count;
  }

  /** Calls back once, at the next append to this partition. */
  onAppend(number: number, wake: () => void): void {
    this.#partition(number).waiting.push(wake);
  }

  #partition(number: number): MemoryPartition {
    return must(this.#partitions[number], `partition ${number} of ${this.name}`);
  }
}
