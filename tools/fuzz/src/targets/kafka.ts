import type { LogRecord } from '@perennial/kafka';
import { RECORD_LIMITS } from '@perennial/kafka';
import { decodeRecordSet } from '@perennial/kafka/internals';
import { CODEC_NAMES, encodeControlBatch, encodeOddBatch, type OddRecord } from '@perennial/kafka/odd-batches';
import { Draw } from '../draw.js';
import type { CaseResult, FuzzTarget } from '../target.js';

const BATCHES_MAX = 8;
const RECORDS_MAX = 12;
/** A fetch that goes no further after this many has stopped for good. */
const FETCHES_MAX = 500;
const TIMESTAMP_MS = Date.UTC(2026, 4, 17);

/** What a reader must get: the offset and value of each record, in order. */
interface Written {
  readonly set: Buffer;
  readonly expected: readonly string[];
  readonly end: number;
  readonly isDamaged: boolean;
  readonly aborted: ReadonlyArray<{ readonly producerId: string; readonly firstOffset: number }>;
}

/** What any producer may leave in a partition, read in fetches of any size: each record once, and on behind what cannot be read. */
export const kafka: FuzzTarget = {
  description: 'record batches as any producer writes them: codecs, headers, transactions, gaps, damage',
  async run(seed): Promise<CaseResult> {
    const draw = new Draw(seed);
    const written = drawSet(draw);
    const read = await readAll(written, draw.whole(1, 3_000));
    const found = read.records.map(toLine);
    if (read.next < written.end) return fail(`reading ends at ${read.next} of ${written.end}`, written, found);
    if (!isAscending(read.records)) return fail('offsets do not ascend', written, found);
    if (written.isDamaged) return { results: ['damaged: read to the end'] };
    if (found.join() !== written.expected.join()) return fail('other records than written', written, found);
    return { results: [written.aborted.length > 0 ? 'read without aborted transactions' : 'read'] };
  },
};

function drawSet(draw: Draw): Written {
  const parts: Buffer[] = [];
  const expected: string[] = [];
  const aborted: Array<{ producerId: string; firstOffset: number }> = [];
  let offset = draw.whole(0, 1_000);
  for (let count = draw.whole(1, BATCHES_MAX); count > 0; count--) {
    const kind = draw.pick(['plain', 'plain', 'committed', 'aborted'] as const);
    const producerId = BigInt(count);
    const records = draw.list(draw.whole(1, RECORDS_MAX), () => drawRecord(draw));
    // Compaction leaves gaps between records and before batches.
    const deltas = records.map((_, index) => index * draw.pick([1, 1, 2]) + index);
    const head = { baseOffset: offset, timestampMs: TIMESTAMP_MS, codec: draw.pick(CODEC_NAMES) };
    const placed = records.map((record, index) => ({ ...record, offsetDelta: deltas[index] as number }));
    placed.sort((a, b) => a.offsetDelta - b.offsetDelta);
    const unique = placed.filter(({ offsetDelta }, index) => placed[index - 1]?.offsetDelta !== offsetDelta);
    const isTransactional = kind !== 'plain';
    parts.push(encodeOddBatch({ ...head, records: unique, ...(isTransactional && { isTransactional, producerId }) }));
    if (kind === 'aborted') aborted.push({ producerId: String(producerId), firstOffset: offset });
    else for (const record of unique) expected.push(`${offset + record.offsetDelta} ${toText(record)}`);
    offset += (unique.at(-1)?.offsetDelta ?? 0) + 1;
    if (isTransactional) {
      parts.push(encodeControlBatch({ baseOffset: offset, producerId, end: kind === 'aborted' ? 'abort' : 'commit' }));
      offset++;
    }
    offset += draw.chance(0.2) ? draw.whole(1, 50) : 0;
  }
  const isDamaged = draw.chance(0.3);
  const end = endOf(parts);
  return { set: isDamaged ? damage(parts, draw) : Buffer.concat(parts), expected, end, isDamaged, aborted };
}

function drawRecord(draw: Draw): OddRecord {
  const count = draw.chance(0.1) ? RECORD_LIMITS.headersMax + draw.whole(1, 2_000) : draw.whole(0, 5);
  const headers = draw.list(count, (index) => [`h${index % 7}`, draw.chance(0.3) ? null : Buffer.from('x')] as const);
  const value = draw.chance(0.1) ? null : Buffer.from('v'.repeat(draw.whole(0, 200)) + draw.whole(0, 1_000_000));
  return { key: draw.chance(0.5) ? null : Buffer.from('k'), value, headers };
}

/** Offset behind the last batch. */
function endOf(parts: readonly Buffer[]): number {
  const last = parts.at(-1) as Buffer;
  return Number(last.readBigInt64BE(0)) + last.readInt32BE(23) + 1;
}

/** Bytes behind the heads change: a broker checks those, and their length is what leads to the next batch. */
function damage(parts: readonly Buffer[], draw: Draw): Buffer {
  const damaged = parts.map((part) => Buffer.from(part));
  for (let count = draw.whole(1, 6); count > 0; count--) {
    const part = draw.pick(damaged);
    if (part.length > 61) part[draw.whole(61, part.length - 1)] = draw.whole(0, 255);
  }
  return Buffer.concat(damaged);
}

async function readAll(written: Written, bytesMax: number): Promise<{ records: LogRecord[]; next: number }> {
  const records: LogRecord[] = [];
  let next = 0;
  for (let fetches = 0; next < written.end && fetches < FETCHES_MAX; fetches++) {
    const fetched = { topic: 't', partition: 0, fetchOffset: next, bytesMax, aborted: written.aborted };
    const decoded = await decodeRecordSet(written.set, fetched, { left: RECORD_LIMITS.fetchBytesMax });
    records.push(...decoded.records);
    if (decoded.next <= next) break;
    next = decoded.next;
  }
  return { records, next };
}

function isAscending(records: readonly LogRecord[]): boolean {
  return records.every(({ offset }, index) => index === 0 || offset > (records[index - 1] as LogRecord).offset);
}

function toLine({ offset, value, unreadable }: LogRecord): string {
  return `${offset} ${unreadable?.reason ?? (value === null ? 'null' : String(value))}`;
}

function toText({ value, headers = [] }: OddRecord): string {
  if (headers.length > RECORD_LIMITS.headersMax) return 'too_many_headers';
  return value === null || value === undefined ? 'null' : String(value);
}

function fail(what: string, { expected, set }: Written, found: readonly string[]): CaseResult {
  const difference = found.findIndex((line, index) => line !== expected[index]);
  const at = `found ${found.length}, wanted ${expected.length}; first difference ${found[difference]} for ${expected[difference]}`;
  return { results: ['wrong'], problem: `${what}: ${at}: ${set.toString('base64').slice(0, 2_000)}` };
}
