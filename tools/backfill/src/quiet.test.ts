import { describe, expect, it } from '@jest/globals';
import type { Log } from '@perennial/kafka';
import type { Clock } from '@perennial/kernel';
import { waitForQuiet } from './quiet.js';

describe('waitForQuiet', () => {
  it('waits until all have read to the end, though the ends move', async () => {
    const polls = [
      { end: 5, read: 5 },
      { end: 9, read: 7 },
      { end: 9, read: 9 },
      { end: 9, read: 9 },
    ];
    const clock = createFakeClock();
    const result = await waitForQuiet({ log: createPolledLog(polls), namespace: 'test', readers: [READER], clock });
    expect(result).toEqual({ quiet: true, lags: { scoring: 0 } });
    expect(clock.waited()).toBe(3);
  });

  it('gives up when nothing moves, and says who is behind', async () => {
    const log = createPolledLog([{ end: 9, read: 2 }]);
    const result = await waitForQuiet({ log, namespace: 'test', readers: [READER], clock: createFakeClock() });
    expect(result).toEqual({ quiet: false, lags: { scoring: 7 } });
  });
});

const READER = { name: 'scoring', topic: 'featureUpdated' } as const;

function createPolledLog(polls: ReadonlyArray<{ end: number; read: number }>): Log {
  let poll = 0;
  const current = () => polls[Math.min(poll, polls.length - 1)] ?? { end: 0, read: 0 };
  return {
    createProducer: () => Promise.reject(new Error('not needed here')),
    startConsumer: () => Promise.reject(new Error('not needed here')),
    offsets: async () => new Map([[0, { low: 0, high: current().end }]]),
    heldBack: async () => new Map(),
    groupOffsets: async () => {
      const { read } = current();
      poll++;
      return new Map([[0, read]]);
    },
    close: async () => undefined,
  };
}

function createFakeClock(): Clock & { waited(): number } {
  let now = 0;
  let waits = 0;
  return {
    now: () => now,
    steadyMs: () => now,
    wait: async (ms) => {
      now += ms;
      waits++;
    },
    waited: () => waits,
  };
}
