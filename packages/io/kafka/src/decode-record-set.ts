import { toMessage } from '@perennial/kernel';
import { type AbortedTransaction, AbortedTransactions } from './aborted-transactions.js';
import { type BatchFrame, type BatchHead, readFrame, readHead } from './batch-head.js';
import { ByteReader, DamagedBytes } from './byte-reader.js';
import { decodeRecord } from './decode-record.js';
import type { LogRecord, UnreadableReason } from './log.js';
import { RECORD_LIMITS, RECORD_OVERHEAD_BYTES } from './record-limits.js';
import { NO_CODEC, toCodecName, unpack } from './unpack.js';
import { UnpackedTooLarge } from './unpack-error.js';
import { UnpackedBatches } from './unpacked-batches.js';

/** What was asked of one partition, and what the broker says of it. */
export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly fetchOffset: number;
  /** Bytes asked for. The broker keeps to it before, this decoder after unpacking. */
  readonly bytesMax: number;
  readonly aborted: readonly AbortedTransaction[];
}

/** Bytes that may still be unpacked in this fetch, all partitions together. */
export interface UnpackBudget {
  left: number;
}

export interface DecodedSet {
  readonly records: readonly LogRecord[];
  /** Offset behind what was read: of `records`, control records, aborted transactions. */
  readonly next: number;
}

/**
 * Decodes the batches of one partition. Nothing that a batch contains makes it throw: what cannot be read becomes one
 * unreadable record, and the rest goes on. It stops early, at least one record further, where unpacked records exceed
 * what was asked for, or at a batch for which the budget is short: the next fetch begins there.
 */
export async function decodeRecordSet(
  set: Buffer,
  fetched: FetchedPartition,
  budget: UnpackBudget,
  unpacked: UnpackedBatches = UNPACKED,
): Promise<DecodedSet> {
  const decoder = new SetDecoder(set, fetched, { budget, unpacked });
  for (let at = 0; ; ) {
    const frame = readFrame(set, at);
    if (frame === undefined || (await decoder.add(frame)) === 'stop') return decoder.result();
    at = frame.end;
  }
}

/** Of all consumers of the process. */
const UNPACKED = new UnpackedBatches();

/** The records of one batch, plain. */
interface Opened {
  readonly bytes: Buffer;
  readonly from: number;
  readonly end: number;
}

class SetDecoder {
  readonly #set: Buffer;
  readonly #fetched: FetchedPartition;
  readonly #budget: UnpackBudget;
  readonly #unpacked: UnpackedBatches;
  readonly #aborted: AbortedTransactions;
  readonly #records: LogRecord[] = [];
  /** Bytes of records that were unpacked. */
  #unpackedBytes = 0;
  #next: number;

  constructor(
    set: Buffer,
    fetched: FetchedPartition,
    { budget, unpacked }: { readonly budget: UnpackBudget; readonly unpacked: UnpackedBatches },
  ) {
    this.#set = set;
    this.#fetched = fetched;
    this.#budget = budget;
    this.#unpacked = unpacked;
    this.#aborted = new AbortedTransactions(fetched.aborted);
    this.#next = fetched.fetchOffset;
  }

  result(): DecodedSet {
    return { records: this.#records, next: this.#next };
  }

  async add(frame: BatchFrame): Promise<'go on' | 'stop'> {
    const head = readHead(this.#set, frame);
    if (head === undefined) {
      this.#addUnreadable('damaged', 'a batch of no known format', { lastOffset: frame.baseOffset, timestampMs: 0 });
      return 'go on';
    }
    const isHidden = this.#aborted.hides(this.#set, frame, head);
    if (isHidden || head.lastOffset < this.#next) {
      this.#next = Math.max(this.#next, head.lastOffset + 1);
      return 'go on';
    }
    const name = this.#toName(frame, head);
    try {
      const opened = await this.#open(frame, head, name);
      if (opened === 'later') return 'stop';
      if (this.#decode(opened, head) === 'later') {
        this.#unpacked.keep(name, opened.bytes);
        return 'stop';
      }
      // The last records of a batch may have been compacted away.
      this.#next = head.lastOffset + 1;
    } catch (error) {
      const isTooLarge = error instanceof UnpackedTooLarge;
      const size = `${toCodecName(head.codec)}, ${frame.end - frame.from} bytes as written`;
      const what = `invalid batch at offsets ${head.baseOffset} to ${head.lastOffset} (${size}): ${toMessage(error)}`;
      this.#addUnreadable(isTooLarge ? 'batch_too_large' : 'damaged', what, toEnd(head));
    }
    if (head.codec !== NO_CODEC) this.#unpacked.drop(name);
    return 'go on';
  }

  /** The same batch in another fetch has the same name; one of a topic that was made anew has another checksum. */
  #toName({ from, end }: BatchFrame, { baseOffset, checksum }: BatchHead): string {
    const { topic, partition } = this.#fetched;
    return `${topic} ${partition} ${baseOffset} ${checksum} ${end - from}`;
  }

  async #open({ end }: BatchFrame, { codec, recordsFrom }: BatchHead, name: string): Promise<Opened | 'later'> {
    if (codec === NO_CODEC) return { bytes: this.#set, from: recordsFrom, end };
    const known = this.#unpacked.get(name);
    if (known !== undefined) return { bytes: known, from: 0, end: known.length };
    const { batchBytesMax } = RECORD_LIMITS;
    const bytesMax = Math.min(batchBytesMax, this.#budget.left);
    if (bytesMax <= 0) return 'later';
    try {
      const bytes = await unpack(codec, this.#set.subarray(recordsFrom, end), bytesMax);
      this.#budget.left -= bytes.length;
      return { bytes, from: 0, end: bytes.length };
    } catch (error) {
      if (error instanceof UnpackedTooLarge && bytesMax < batchBytesMax) return 'later';
      throw error;
    }
  }

  #decode({ bytes, from, end }: Opened, head: BatchHead): 'whole' | 'later' {
    const { topic, partition, bytesMax } = this.#fetched;
    const context = { topic, partition, ...head };
    const reader = new ByteReader(bytes, from, end);
    for (let index = 0; index < head.recordCount; index++) {
      const size = reader.varint();
      const bodyEnd = reader.at + size;
      if (size < 0 || bodyEnd > end)
        throw new DamagedBytes(`record ${index} has ${size} bytes, ${reader.left} are left`);
      const record = decodeRecord(new ByteReader(bytes, reader.at, bodyEnd), context);
      reader.at = bodyEnd;
      if (record.offset < this.#next) continue;
      if (record.offset > head.lastOffset) throw new DamagedBytes(`record ${index} has offset ${record.offset}`);
      if (head.codec !== NO_CODEC) {
        if (this.#unpackedBytes >= bytesMax) return 'later';
        this.#unpackedBytes += size + RECORD_OVERHEAD_BYTES;
      }
      this.#records.push(record);
      this.#next = record.offset + 1;
    }
    return 'whole';
  }

  /** One record for all offsets up to `lastOffset`, which it has itself: so a reader goes on behind them. */
  #addUnreadable(
    reason: UnreadableReason,
    message: string,
    { lastOffset, timestampMs }: { lastOffset: number; timestampMs: number },
  ): void {
    const { topic, partition } = this.#fetched;
    const firstOffset = this.#next;
    if (lastOffset < firstOffset) return;
    const unreadable = { reason, message, firstOffset };
    const at = { topic, partition, offset: lastOffset, timestampMs };
    this.#records.push({ ...at, key: null, value: null, headers: {}, unreadable });
    this.#next = lastOffset + 1;
  }
}

function toEnd({ lastOffset, appendedAtMs, baseTimestampMs }: BatchHead) {
  return { lastOffset, timestampMs: appendedAtMs ?? baseTimestampMs };
}
