import type { BatchFrame, BatchHead } from './batch-head.js';
import { ByteReader } from './byte-reader.js';

/** A transaction that was aborted: the broker sends those that touch a fetch. */
export interface AbortedTransaction {
  readonly producerId: string;
  readonly firstOffset: number;
}

const ABORT = 0;

/**
 * Which batches of a fetch belong to aborted transactions. A batch belongs to one transaction at most, and a transaction
 * of a producer ends with a control record of the same producer
 * (https://kafka.apache.org/documentation/#controlbatch).
 */
export class AbortedTransactions {
  readonly #ahead: AbortedTransaction[];
  readonly #open = new Set<string>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /** Called for each batch in order; true for one without records for a reader: control records, or aborted ones. */
  hides(set: Buffer, frame: BatchFrame, head: BatchHead): boolean {
    for (let next = this.#ahead.at(-1); next !== undefined && next.firstOffset <= head.lastOffset; ) {
      this.#open.add(next.producerId);
      this.#ahead.pop();
      next = this.#ahead.at(-1);
    }
    if (!head.isControl) return head.isTransactional && this.#open.has(head.producerId);
    if (isAbort(set, frame, head)) this.#open.delete(head.producerId);
    return true;
  }
}

/** Of a control record's key: version, then type. */
function isAbort(set: Buffer, { end }: BatchFrame, { recordsFrom }: BatchHead): boolean {
  const reader = new ByteReader(set, recordsFrom, end);
  try {
    reader.varint();
    reader.skip(1);
    reader.varlong();
    reader.varint();
    reader.varint();
    reader.skip(2);
    return reader.int16() === ABORT;
  } catch {
    // Without records after compaction: what it ended is over.
    return true;
  }
}
