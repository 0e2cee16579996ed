import { type LogRecord, type OutgoingRecord, type PartitionOffsets, sizeOfRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';

interface MemoryPartition {
  /** Offset of `records[0]`. */
  low: number;
  readonly records: LogRecord[];
  waiting: Array<() => void>;
}

/** One topic in memory: append, read, trim. */
export class MemoryTopic {
  readonly name: string;
  readonly #partitions: MemoryPartition[];

  constructor(name: string, partitions: number) {
    this.name = name;
    this.#partitions = Array.from({ length: partitions }, () => ({ low: 0, records: [], waiting: [] }));
  }

  get partitions(): number {
    return this.#partitions.length;
  }

  append(record: OutgoingRecord, timestampMs: number): void {
    const partition = this.#partition(record.partition);
    partition.records.push({ ...record, offset: partition.low + partition.records.length, timestampMs });
    const waiting = partition.waiting;
    partition.waiting = [];
    for (const wake of waiting) wake();
  }

  /** Records from `offset` on: at least one if there is one, about `bytesMax` at most. */
  read(number: number, offset: number, bytesMax: number): LogRecord[] {
    const { low, records } = this.#partition(number);
    const read: LogRecord[] = [];
    let bytes = 0;
    for (let index = Math.max(0, offset - low); index < records.length; index++) {
      const record = must(records[index], 'record');
      bytes += sizeOfRecord(record);
      if (read.length > 0 && bytes > bytesMax) break;
      read.push(record);
    }
    return read;
  }

  records(number: number): readonly LogRecord[] {
    return this.#partition(number).records;
  }

  offsets(number: number): PartitionOffsets {
    const { low, records } = this.#partition(number);
    return { low, high: low + records.length };
  }

  /** Drops records below `low`, as retention does. */
  trim(number: number, low: number): void {
    const partition = this.#partition(number);
    const count = Math.max(0, Math.min(low - partition.low, partition.records.length));
    partition.records.splice(0, count);
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
