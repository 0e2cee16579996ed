import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import { must } from '@perennial/kernel';
import { parquetReadObjects } from 'hyparquet';
import { createRecords, encodeRecords, START_MS, TOPIC } from './archive-test-kit.js';
import { decodeArchiveFile } from './parquet-file.js';

const SEED = Number(process.env.PERENNIAL_TEST_SEED ?? Date.now() % 2 ** 31);

describe(`an archived file (seed ${SEED})`, () => {
  const records = createRecords(SEED, 230);
  const options = { rowGroupRows: 50 };

  it('gives back the very same records, whatever they are', async () => {
    const bytes = encodeRecords(records, options);
    expect(await decodeArchiveFile(bytes, { name: 'a', topic: TOPIC })).toEqual(records);
  });

  it('keeps what the log could not give as a record without a value, wherever the fetch of it began', async () => {
    const toUnreadable = (firstOffset: number): LogRecord => ({
      ...{ topic: TOPIC, partition: 0, offset: 7, timestampMs: START_MS, headers: {} },
      key: Buffer.from('profile-1'),
      value: must(records.find(({ key, value }) => key !== null && value !== null)?.value, 'a value'),
      unreadable: { reason: 'too_many_headers', message: 'it has 999 headers', firstOffset },
    });
    const encode = (firstOffset: number) => encodeRecords([toUnreadable(firstOffset)], options);
    expect(encode(3).equals(encode(6))).toBe(true);
    const { unreadable: _, ...record } = toUnreadable(3);
    expect(await decodeArchiveFile(encode(3), { name: 'a', topic: TOPIC })).toEqual([{ ...record, value: null }]);
    const [row] = await parquetReadObjects({ file: new Uint8Array(encode(3)).buffer });
    expect(row).toMatchObject({
      kind: 'unreadable',
      properties: JSON.stringify({ reason: 'too_many_headers', message: 'it has 999 headers' }),
    });
  });

  it('has the same bytes whenever it is made', () => {
    const [one, other] = [encodeRecords(records, options), encodeRecords(records, options)];
    expect(one.equals(other)).toBe(true);
  });

  it('can be read by whoever reads Parquet', async () => {
    const bytes = encodeRecords(records, options);
    const rows = await parquetReadObjects({ file: new Uint8Array(bytes).buffer });
    expect(rows).toHaveLength(records.length);
    const kinds = new Set(rows.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual(['event', 'rollout', 'tick', 'unreadable']);
    const event = rows.find(({ kind }) => kind === 'event');
    const offset = Number(event?.offset);
    expect(event).toMatchObject({
      partition: 0,
      profile_key: expect.stringMatching(/^profile-\d$/),
      message_id: `m${offset}`,
      source_id: 'web',
      type: 'track',
      name: 'Order Completed',
      append_time: new Date(records[offset]?.timestampMs ?? 0),
      properties: JSON.stringify({ revenue: offset, note: 'ä"\n' }),
    });
    expect(rows.find(({ kind }) => kind === 'rollout')).toMatchObject({ name: 'policy' });
    expect(rows.find(({ kind }) => kind === 'tick')?.event_time.getTime()).toBeGreaterThanOrEqual(START_MS);
  });

  it('tells when any byte of its pages was changed', async () => {
    const bytes = encodeRecords(records, options);
    const metadataBytes = bytes.readUInt32LE(bytes.length - 8) + 8;
    for (let i = 0; i < 60; i++) {
      const damaged = Buffer.from(bytes);
      const at = Math.floor(((bytes.length - metadataBytes) * i) / 60);
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0x10, at);
      const reading = decodeArchiveFile(damaged, { name: 'a', topic: TOPIC });
      await expect(reading).rejects.toMatchObject({ code: 'data_damaged' });
    }
    await expect(decodeArchiveFile(bytes.subarray(0, -100), { name: 'a', topic: TOPIC })).rejects.toMatchObject({
      code: 'data_damaged',
    });
  });
});
