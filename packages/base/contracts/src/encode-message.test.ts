import { describe, expect, it } from '@jest/globals';
import { encodeMessage, FeatureRecord } from './index.js';

const tick = (timeMs: number): FeatureRecord => ({ record: { $case: 'tick', value: { timeMs } } });

describe('encodeMessage', () => {
  it('gives what a writer of its own gives, and bytes that later messages leave alone', () => {
    const first = encodeMessage(FeatureRecord, tick(1));
    const second = encodeMessage(FeatureRecord, tick(2 ** 40));
    expect(first).toEqual(Buffer.from(FeatureRecord.encode(tick(1)).finish()));
    expect(second).toEqual(Buffer.from(FeatureRecord.encode(tick(2 ** 40)).finish()));
  });

  it('leaves nothing of a message that could not be encoded', () => {
    const broken = {
      encode: (_message: FeatureRecord, writer: Parameters<typeof FeatureRecord.encode>[1]) => {
        writer?.uint32(10).fork();
        throw new Error('out of range');
      },
    };
    expect(() => encodeMessage(broken, tick(1))).toThrow('out of range');
    expect(encodeMessage(FeatureRecord, tick(1))).toEqual(Buffer.from(FeatureRecord.encode(tick(1)).finish()));
  });
});
