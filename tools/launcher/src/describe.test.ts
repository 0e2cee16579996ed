import { describe, expect, it } from '@jest/globals';
import { createMemoryLog } from '@perennial/kafka/testing';
import { describeTopics } from './describe.js';

describe('status of topics', () => {
  it('says which partitions have records behind an open transaction', async () => {
    const log = {
      ...createMemoryLog({ partitions: 3 }),
      heldBack: async (topic: string) =>
        new Map(
          topic.includes('received')
            ? [
                [2, 5],
                [0, 1],
              ]
            : [],
        ),
    };
    const offsets = new Map([0, 1, 2].map((partition) => [partition, { low: 1, high: 4 }]));
    const ends = new Map([['eventReceived', offsets] as const, ['eventAccepted', offsets] as const]);
    const [received, accepted] = await describeTopics(log, 'live', ends);
    expect(received).toMatchObject({ partitions: 3, records: 9, endOffsets: [4, 4, 4] });
    expect(received?.heldBack).toEqual([
      { partition: 0, records: 1 },
      { partition: 2, records: 5 },
    ]);
    expect(accepted?.heldBack).toEqual([]);
  });
});
