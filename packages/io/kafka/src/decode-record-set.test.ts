import { randomBytes } from 'node:crypto';
import { describe, expect, it, jest } from '@jest/globals';
import {
  CODEC_NAMES,
  CODEC_NUMBERS,
  type CodecName,
  encodeControlBatch,
  encodeOddBatch,
  type OddBatch,
  pack,
} from '@perennial/kafka/testing';
import fc from 'fast-check';
import { type DecodedSet, decodeRecordSet, type FetchedPartition } from './decode-record-set.js';
import { RECORD_LIMITS } from './record-limits.js';
import { unpack } from './unpack.js';
import { UnpackedBatches } from './unpacked-batches.js';

jest.setTimeout(60_000);

const MIB = 1_048_576;
const { headersMax, headerBytesMax, batchBytesMax, fetchBytesMax } = RECORD_LIMITS;

function decode(
  set: Buffer,
  fetched: Partial<FetchedPartition> = {},
  budget = { left: fetchBytesMax as number },
): Promise<DecodedSet> {
  const asked = { topic: 't', partition: 3, fetchOffset: 0, bytesMax: MIB, aborted: [] };
  return decodeRecordSet(set, { ...asked, ...fetched }, budget);
}

const valuesOf = ({ records }: DecodedSet) => records.map(({ value }) => value?.toString());
const toRecords = (...values: string[]) => values.map((value) => ({ value: Buffer.from(value) }));
const toHeaders = (count: number, text = 'x') =>
  Array.from({ length: count }, (_, index) => [`h${index}`, Buffer.from(text)] as const);

describe('a set of record batches', () => {
  it.each(CODEC_NAMES)('gives key, value, time, offset and headers with codec %s', async (codec) => {
    const headers = [
      ['a', Buffer.from('ä')],
      ['a', Buffer.from('2')],
      ['none', null],
      ['', Buffer.alloc(0)],
    ] as const;
    const records = [{ key: Buffer.from('k'), value: Buffer.from('v'), headers, timestampDelta: -5 }, { value: null }];
    const set = encodeOddBatch({ codec, records, baseOffset: 7, timestampMs: 1_000 });
    expect(await decode(set)).toEqual({
      records: [
        {
          topic: 't',
          partition: 3,
          offset: 7,
          timestampMs: 995,
          key: Buffer.from('k'),
          value: Buffer.from('v'),
          headers: { a: 'ä', '': '' },
        },
        { topic: 't', partition: 3, offset: 8, timestampMs: 1_000, key: null, value: null, headers: {} },
      ],
      next: 9,
    });
  });

  it('has the append time of the broker where the topic says so', async () => {
    const set = encodeOddBatch({
      records: [{ timestampDelta: 20 }, { timestampDelta: 50 }],
      timestampMs: 100,
      isAppendTime: true,
    });
    expect((await decode(set)).records.map(({ timestampMs }) => timestampMs)).toEqual([150, 150]);
  });

  it('gives a record with too many headers, or too long ones, as unreadable with its value, and goes on', async () => {
    const set = encodeOddBatch({
      records: [
        { value: Buffer.from('most'), headers: toHeaders(headersMax) },
        { value: Buffer.from('many'), headers: toHeaders(100_000) },
        { value: Buffer.from('long'), headers: toHeaders(3, 'x'.repeat(headerBytesMax / 2)) },
        { value: Buffer.from('behind') },
      ],
    });
    const decoded = await decode(set);
    expect(valuesOf(decoded)).toEqual(['most', 'many', 'long', 'behind']);
    expect(Object.keys(decoded.records[0]?.headers ?? {})).toHaveLength(headersMax);
    expect(decoded.records.map(({ unreadable }) => unreadable)).toEqual([
      undefined,
      {
        reason: 'too_many_headers',
        message: `invalid record: it has 100000 headers, ${headersMax} at most`,
        firstOffset: 1,
      },
      {
        reason: 'headers_too_large',
        message: `invalid record: its headers have more than ${headerBytesMax} bytes`,
        firstOffset: 2,
      },
      undefined,
    ]);
  });

  it('gives a bomb as one unreadable record of all its offsets, and goes on', async () => {
    const bomb = {
      codec: 'gzip',
      records: [{ value: Buffer.alloc(batchBytesMax) }],
      lastOffsetDelta: 4,
      timestampMs: 5,
    } as const;
    const set = Buffer.concat([encodeOddBatch(bomb), encodeOddBatch({ records: toRecords('behind'), baseOffset: 5 })]);
    const decoded = await decode(set);
    const message = expect.stringMatching(
      /^invalid batch at offsets 0 to 4 \(gzip, \d+ bytes as written\): .* 33554432 bytes$/,
    );
    expect(decoded.records).toMatchObject([
      {
        offset: 4,
        timestampMs: 5,
        key: null,
        value: null,
        unreadable: { reason: 'batch_too_large', message, firstOffset: 0 },
      },
      { offset: 5 },
    ]);
    expect((await decode(set, { fetchOffset: 2 })).records[0]).toMatchObject({
      offset: 4,
      unreadable: { firstOffset: 2 },
    });
  });

  it.each<[string, Partial<OddBatch>, (string | undefined)[]?]>([
    ['an unknown codec', { attributes: 6 }],
    ['bytes that are not packed so', { attributes: 4 }],
    ['too few records', { recordCount: 9 }, []],
    ['a record that is cut off', { pack: (bytes) => bytes.subarray(0, -3) }],
    ['a record of nonsense', { records: [{ body: Buffer.alloc(40, 0xff) }], lastOffsetDelta: 1 }],
    ['a negative number of headers', { records: [{ body: Buffer.from([0, 0, 0, 1, 1, 3]) }], lastOffsetDelta: 1 }],
    ['offsets beyond its end', { lastOffsetDelta: 0 }, []],
    ['an older format', { format: 1, lastOffsetDelta: 0 }],
  ])('gives %s as unreadable, and goes on', async (_, damage, reasons = ['damaged']) => {
    const damaged = encodeOddBatch({ records: toRecords('a', 'b'), ...damage });
    const set = Buffer.concat([damaged, encodeOddBatch({ records: toRecords('behind'), baseOffset: 2 })]);
    const { records, next } = await decode(set);
    const found = records.map(({ unreadable }) => unreadable?.reason).filter((reason) => reason !== undefined);
    expect(found).toEqual(reasons);
    expect(valuesOf({ records, next }).at(-1)).toBe('behind');
    expect(next).toBe(3);
  });

  it('leaves out control records and aborted transactions, and says where they end', async () => {
    const inTransaction = (producerId: bigint, baseOffset: number, value: string) =>
      encodeOddBatch({ records: toRecords(value), baseOffset, producerId, isTransactional: true });
    const set = Buffer.concat([
      inTransaction(1n, 0, 'aborted'),
      inTransaction(2n, 1, 'committed'),
      // A key like that of an abort: only a control record ends a transaction.
      encodeOddBatch({
        records: [{ key: Buffer.alloc(4), value: Buffer.from('aborted') }],
        baseOffset: 2,
        producerId: 1n,
        isTransactional: true,
      }),
      inTransaction(1n, 3, 'aborted'),
      encodeControlBatch({ baseOffset: 4, producerId: 1n, end: 'abort' }),
      inTransaction(1n, 5, 'next of the same producer'),
      encodeControlBatch({ baseOffset: 6, producerId: 2n, end: 'commit' }),
      inTransaction(1n, 7, 'aborted'),
      encodeControlBatch({ baseOffset: 8, producerId: 1n, end: 'abort' }),
    ]);
    const aborted = [
      { producerId: '1', firstOffset: 7 },
      { producerId: '1', firstOffset: 0 },
    ];
    const decoded = await decode(set, { aborted });
    expect(valuesOf(decoded)).toEqual(['committed', 'next of the same producer']);
    expect(decoded.next).toBe(9);
    expect(await decode(set, { aborted, fetchOffset: 8 })).toEqual({ records: [], next: 9 });
  });

  it('ends behind the last offset of a batch whose last records were compacted away', async () => {
    expect((await decode(encodeOddBatch({ records: toRecords('a'), lastOffsetDelta: 5 }))).next).toBe(6);
    expect(await decode(encodeOddBatch({ records: [], lastOffsetDelta: 5 }))).toEqual({ records: [], next: 6 });
  });

  it('takes no more unpacked bytes than asked for, and the rest with the next fetch', async () => {
    const records = Array.from({ length: 50 }, (_, index) => ({ value: Buffer.alloc(1_000, index) }));
    const set = encodeOddBatch({ codec: 'lz4', records });
    const offsets: number[] = [];
    let fetches = 0;
    for (let fetchOffset = 0; fetchOffset < 50; fetches++) {
      const decoded = await decode(set, { fetchOffset, bytesMax: 10_000 });
      offsets.push(...decoded.records.map(({ offset }) => offset));
      fetchOffset = decoded.next;
    }
    expect(offsets).toEqual(Array.from({ length: 50 }, (_, index) => index));
    expect(fetches).toBe(6);
  });

  it('unpacks a batch once, however many fetches take a part of it, and keeps none that is finished', async () => {
    const values = Array.from({ length: 40 }, (_, index) => String(index).padEnd(1_000));
    const set = encodeOddBatch({ codec: 'gzip', records: toRecords(...values) });
    const found: Array<string | undefined> = [];
    const unpacked = new UnpackedBatches();
    const budget = { left: fetchBytesMax as number };
    const asked = { topic: 't', partition: 3, bytesMax: 4_000, aborted: [] };
    let fetches = 0;
    for (let next = 0; next < values.length; fetches++) {
      const decoded = await decodeRecordSet(set, { ...asked, fetchOffset: next }, budget, unpacked);
      found.push(...valuesOf(decoded));
      next = decoded.next;
    }
    expect(found).toEqual(values);
    expect(fetches).toBeGreaterThan(8);
    // What all fetches together have unpacked.
    expect(fetchBytesMax - budget.left).toBeLessThan(2 * 40 * 1_010);
    expect(unpacked.bytes).toBe(0);
  });

  it('keeps so many bytes of unfinished batches at most, and the latest of them', () => {
    const unpacked = new UnpackedBatches({ bytesMax: 10 });
    for (const name of ['a', 'b', 'c']) unpacked.keep(name, Buffer.alloc(4));
    unpacked.keep('large', Buffer.alloc(11));
    expect(['a', 'b', 'c', 'large'].filter((name) => unpacked.get(name) !== undefined)).toEqual(['b', 'c']);
    expect(unpacked.bytes).toBe(8);
  });

  it('counts of an unfinished batch all the memory that stays with it', async () => {
    const unpacked = new UnpackedBatches();
    // What packs badly at first lets the buffer for the whole grow.
    const plain = Buffer.concat([randomBytes(50_000), Buffer.alloc(500_000)]);
    const bytes = await unpack(CODEC_NUMBERS.lz4, pack('lz4', plain), MIB);
    unpacked.keep('a', bytes);
    expect([bytes.length, unpacked.bytes]).toEqual([plain.length, bytes.buffer.byteLength]);
    expect(unpacked.bytes).toBeGreaterThan(plain.length);
    unpacked.drop('a');
    expect(unpacked.bytes).toBe(0);
    const narrow = new UnpackedBatches({ bytesMax: plain.length });
    narrow.keep('a', bytes);
    expect(narrow.bytes).toBe(0);
  });

  it('leaves a batch to the next fetch when other partitions have used what may be unpacked', async () => {
    const set = encodeOddBatch({ codec: 'zstd', records: [{ value: Buffer.alloc(MIB) }] });
    expect(await decode(set, {}, { left: MIB - 1 })).toEqual({ records: [], next: 0 });
    expect(await decode(set, {}, { left: 0 })).toEqual({ records: [], next: 0 });
    const budget = { left: 2 * MIB };
    expect((await decode(set, {}, budget)).next).toBe(1);
    expect(budget.left).toBeLessThan(MIB);
  });

  it('reads what clients may write in any order, from any offset, each record once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(BATCH, { minLength: 1, maxLength: 8 }), fc.nat(3_000), async (batches, bytesMax) => {
        const { set, expected, aborted, end } = toLog(batches);
        const read: string[] = [];
        for (let fetchOffset = 0; fetchOffset < end; ) {
          const decoded = await decode(set, { fetchOffset, bytesMax: Math.max(1, bytesMax), aborted });
          expect(decoded.next).toBeGreaterThan(fetchOffset);
          for (const { offset, value, unreadable } of decoded.records) {
            read.push(`${offset} ${value?.toString('hex') ?? 'null'} ${unreadable?.reason ?? 'fine'}`);
          }
          fetchOffset = decoded.next;
        }
        expect(read).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  it('never throws, and always moves on, whatever the bytes of a whole batch are', async () => {
    const change = fc.array(fc.tuple(fc.integer({ min: 16 }), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(BATCH, change, async ({ codec, records }, changes) => {
        const set = encodeOddBatch({ codec, records });
        for (const [at, byte] of changes) set[16 + (at % (set.length - 16))] = byte;
        const decoded = await decode(set);
        expect(decoded.next).toBeGreaterThan(0);
        expect(decoded.next).toBeGreaterThan(decoded.records.at(-1)?.offset ?? -1);
      }),
      { numRuns: 400 },
    );
  });
});

interface Written {
  readonly codec: CodecName;
  readonly transaction: 'none' | 'committed' | 'aborted';
  readonly records: ReadonlyArray<{
    readonly value: Buffer | null;
    readonly headers: ReadonlyArray<readonly [string, Buffer | null]>;
  }>;
}

const BATCH: fc.Arbitrary<Written> = fc.record({
  codec: fc.constantFrom(...CODEC_NAMES),
  transaction: fc.constantFrom('none' as const, 'committed' as const, 'aborted' as const),
  records: fc.array(
    fc.record({
      value: fc.oneof(
        fc.constant(null),
        fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      ),
      headers: fc.constantFrom([], toHeaders(2), toHeaders(headersMax + 1)),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

/** The batches as a log, each transaction with its end behind it, and what a reader must get. */
function toLog(batches: readonly Written[]) {
  const parts: Buffer[] = [];
  const expected: string[] = [];
  const aborted: Array<{ producerId: string; firstOffset: number }> = [];
  let end = 0;
  for (const [index, { codec, transaction, records }] of batches.entries()) {
    const producerId = BigInt(index % 3);
    const isTransactional = transaction !== 'none';
    parts.push(
      encodeOddBatch({
        codec,
        records,
        producerId,
        isTransactional,
        baseOffset: end,
        pack: (bytes) => pack(codec, bytes),
      }),
    );
    if (transaction === 'aborted') aborted.push({ producerId: String(producerId), firstOffset: end });
    else
      for (const [delta, { value, headers }] of records.entries())
        expected.push(
          `${end + delta} ${value?.toString('hex') ?? 'null'} ${headers.length > headersMax ? 'too_many_headers' : 'fine'}`,
        );
    end += records.length;
    if (isTransactional) {
      parts.push(
        encodeControlBatch({ baseOffset: end, producerId, end: transaction === 'aborted' ? 'abort' : 'commit' }),
      );
      end += 1;
    }
  }
  return { set: Buffer.concat(parts), expected, aborted, end };
}
