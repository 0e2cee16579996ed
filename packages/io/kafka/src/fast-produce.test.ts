import { createRequire } from 'node:module';
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { createFastRequest } from './fast-produce.js';

const require = createRequire(__filename);
const original = require('kafkajs/src/protocol/requests/produce/v3/request.js') as Parameters<
  typeof createFastRequest
>[0];

const bytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array)));
const text = fc.oneof(fc.string({ maxLength: 100 }), fc.string({ unit: 'binary', maxLength: 40 }));
const record = fc.record({ key: bytes, value: bytes, headers: fc.dictionary(text, text, { maxKeys: 4 }) });
const partition = fc.record({
  partition: fc.nat({ max: 100 }),
  firstSequence: fc.nat(),
  messages: fc.array(record, { minLength: 1, maxLength: 80 }),
});
const payload = fc.record({
  acks: fc.constant(-1),
  timeout: fc.constant(30_000),
  producerId: fc.nat().map(String),
  producerEpoch: fc.nat({ max: 100 }),
  topicData: fc.array(
    fc.record({ topic: fc.string({ minLength: 1, maxLength: 20 }), partitions: fc.array(partition, { maxLength: 3 }) }),
    { maxLength: 3 },
  ),
});

describe('fast produce', () => {
  it("writes kafkajs's very bytes", async () => {
    const now = jest.spyOn(Date, 'now').mockReturnValue(1_716_382_800_123);
    const fast = createFastRequest(original, require);
    try {
      await fc.assert(
        fc.asyncProperty(payload, async (given) => {
          const mine = await fast(given).encode();
          const theirs = await original(given).encode();
          expect(mine.buf.subarray(0, mine.offset).equals(theirs.buf.subarray(0, theirs.offset))).toBe(true);
        }),
        { numRuns: 40 },
      );
    } finally {
      now.mockRestore();
    }
  });

  it('leaves to kafkajs what it does not know', () => {
    const fast = createFastRequest((given) => ({ ...original(given), apiName: 'original' }), require);
    const given = { acks: -1, timeout: 1, topicData: [] };
    expect(fast({ ...given, transactionalId: 't' }).apiName).toBe('original');
    expect(fast({ ...given, compression: 1 }).apiName).toBe('original');
    expect(fast(given).apiName).toBe('Produce');
  });
});
