import { describe, expect, it } from '@jest/globals';
import { toTopic } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { systemClock } from '@perennial/kernel';
import { ReadinessWatch } from './readiness-watch.js';

type World = ReturnType<typeof setUp>['world'];

/** Ingest and its topic of one partition, watched each second; the other topics are empty. */
function setUp() {
  const world = { nowMs: 0, next: 0, end: 10, reasons: [''] };
  const received = toTopic('n', 'eventReceived');
  const log = {
    offsets: async (topic: string) => new Map([[0, { low: 0, high: topic === received ? world.end : 0 }]]),
    groupOffsets: async (_group: string, topic: string) => new Map([[0, topic === received ? world.next : 0]]),
  } as unknown as Log;
  const fleet = {
    of: () => world.reasons.map((_, index) => ({ url: String(index) })) as never,
    readReadiness: async (url: string) => world.reasons[Number(url)] ?? '',
  };
  const watch = new ReadinessWatch({
    log,
    fleet,
    namespace: 'n',
    clock: { ...systemClock, steadyMs: () => world.nowMs },
  });
  const watchFor = async (seconds: number, step: () => void = () => undefined) => {
    for (let second = 0; second < seconds; second++) {
      world.nowMs += 1_000;
      step();
      await watch.observe();
    }
    return watch.stop();
  };
  return { world, watchFor };
}

describe('a watch over readiness', () => {
  it('names a partition that stands still while its service is ready', async () => {
    const { watchFor } = setUp();
    expect(await watchFor(40)).toEqual([]);
    expect(await watchFor(10)).toEqual([
      'ingest-received, partition 0 stood at offset 0 for 45 s while its service was ready',
    ]);
  });

  it.each<[string, (world: World) => Partial<World>]>([
    ['advances', ({ nowMs }) => ({ next: nowMs / 20_000 })],
    ['has nothing to read', () => ({ end: 0 })],
    ['is unready now and then', ({ nowMs }) => ({ reasons: ['', nowMs % 20_000 === 0 ? 'stalled' : ''] })],
  ])('says nothing of one that %s', async (_what, step) => {
    const { world, watchFor } = setUp();
    expect(await watchFor(120, () => Object.assign(world, step(world)))).toEqual([]);
  });
});
