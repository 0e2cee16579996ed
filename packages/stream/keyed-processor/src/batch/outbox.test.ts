import { describe, expect, it } from '@jest/globals';
import { decodeOutbox, encodeOutbox, toRecordBytes } from './outbox.js';

const records = [
  {
    topic: 'a',
    partition: 3,
    key: Buffer.from('kéy'),
    value: Buffer.from([0, 1, 255]),
    headers: { 'pn-position': 'p/0:1:2', emoji: '🎉' },
  },
  { topic: 'b', partition: 0, key: null, value: null, headers: {} },
  { topic: 'c', partition: 1, key: Buffer.alloc(0), value: Buffer.alloc(0), headers: { empty: '' } },
];

describe('outbox', () => {
  it('gives back the records it was made of', () => {
    expect(decodeOutbox(encodeOutbox(records))).toEqual(records);
    expect(decodeOutbox(encodeOutbox([]))).toEqual([]);
  });

  it('takes exactly the bytes that are counted for it', () => {
    const bytes = records.reduce((sum, record) => sum + toRecordBytes(record), 1);
    expect(encodeOutbox(records)).toHaveLength(bytes);
  });

  it('rejects another version, and bytes that end too soon', () => {
    const bytes = encodeOutbox(records);
    expect(() => decodeOutbox(Buffer.from([9, ...bytes.subarray(1)]))).toThrow('unknown version 9');
    expect(() => decodeOutbox(bytes.subarray(0, 20))).toThrow();
  });
});
