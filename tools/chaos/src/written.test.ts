import { describe, expect, it } from '@jest/globals';
import { encodeMessage, HEADERS, ScoreRecord } from '@perennial/contracts';
import { WrittenRecords } from './written.js';

function toRecord(position: string, timeMs = 1) {
  const value = encodeMessage(ScoreRecord, { record: { $case: 'tick', value: { timeMs } } });
  return { partition: 0, key: null, value, headers: { [HEADERS.position]: position } };
}

function take(...records: ReadonlyArray<ReturnType<typeof toRecord>>): WrittenRecords {
  const written = new WrittenRecords();
  for (const record of records) written.take('scoreComputed', record);
  return written;
}

describe('what processors wrote between each other', () => {
  it('is each record once, by its position, as the present release writes it', () => {
    const record = toRecord('scoring/0:7:0');
    const widened = { ...record, value: Buffer.concat([record.value, Buffer.of(0xfa, 0x7f, 3, 0x6e, 0x65, 0x77)]) };
    const { byPosition, violations } = take(record, toRecord('action/1:2:0'), widened);
    expect([...byPosition.keys()]).toEqual(['scoreComputed scoring/0:7:0', 'scoreComputed action/1:2:0']);
    expect(violations).toEqual([]);
  });

  it('is not what others wrote: garbage, forged positions, records without one', () => {
    const garbage = { ...toRecord('scoring/0:9:0'), value: Buffer.from('forged') };
    expect(take(garbage, toRecord('feature-store/0:1:0'), toRecord('')).byPosition.size).toBe(0);
  });

  it('is wrong with two contents at one position, and out of order', () => {
    expect(take(toRecord('scoring/0:7:0'), toRecord('scoring/0:7:0', 2)).violations).toEqual([
      'scoreComputed scoring/0:7:0 came with two contents',
    ]);
    expect(take(toRecord('scoring/0:7:0'), toRecord('scoring/0:6:0')).violations).toEqual([
      'scoreComputed scoring/0:6:0 first came behind 7:0: it is dropped as a repeat',
    ]);
  });
});
