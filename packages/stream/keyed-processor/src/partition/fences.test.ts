import { describe, expect, it } from '@jest/globals';
import { MemoryPartitionStore, type Sum, summing, toSeen } from '@perennial/keyed-processor/testing';
import type { PartitionStore } from '../store/store.js';
import { createHarness, RecordingProducer, toInput } from '../worker-test-kit.js';

const keys = ['a', 'b', 'c'];
const input = toInput(
  Array.from({ length: 40 }, (_, i) =>
    i % 8 === 7 ? { body: { tick: i } } : { key: keys[i % 3] as string, body: { value: i } },
  ),
);

async function runUndisturbed() {
  const store = new MemoryPartitionStore();
  const producer = new RecordingProducer();
  const harness = createHarness({ input, store, producer, owner: 'calm' });
  await harness.drain();
  await harness.worker.stop();
  return { states: store.contents().states, seen: toSeen(producer.written) };
}

describe('fences', () => {
  it('a paused owner that comes back is fenced, drops its cache and work, and changes nothing', async () => {
    const store = new MemoryPartitionStore();
    const producer = new RecordingProducer();
    let resume = () => {};
    let paused = false;
    const pausing: PartitionStore = {
      acquire: (owner) => store.acquire(owner),
      load: (fence, request) => store.load(fence, request),
      scan: (guard, from) => store.scan(guard, from),
      peek: (guard, keys) => store.peek(guard, keys),
      wipe: (owner) => store.wipe(owner),
      commit: async (fence, request) => {
        if (fence.next >= 9 && !paused) {
          paused = true;
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
        await store.commit(fence, request);
      },
    };
    let fenced = 0;
    const zombie = createHarness({
      input,
      store: pausing,
      producer,
      owner: 'zombie',
      telemetry: { fenced: () => void fenced++ },
    });
    await zombie.drain({ until: () => paused });
    const successor = createHarness({ input, store, producer, owner: 'successor' });
    await successor.drain();
    const published = producer.written.length;
    const before = store.contents();
    resume();
    await zombie.drain({ until: () => fenced > 0 });
    expect(zombie.worker.ready).toBe(false);
    await zombie.worker.stop();
    await successor.worker.stop();
    expect(store.contents()).toEqual(before);
    expect(producer.written).toHaveLength(published);
    expect({ states: before.states, seen: toSeen(producer.written) }).toEqual(await runUndisturbed());
  });

  it.each([1, 2, 4])(
    'a failover that loses the last %i commits: the same bytes at the same positions',
    async (lost) => {
      const store = new MemoryPartitionStore();
      const producer = new RecordingProducer();
      const harness = createHarness({ input, store, producer, owner: 'one' });
      await harness.drain({ until: () => (harness.worker.next ?? 0) >= 20 });
      store.loseCommits(lost);
      await harness.drain();
      await harness.worker.stop();
      expect({ states: store.contents().states, seen: toSeen(producer.written) }).toEqual(await runUndisturbed());
    },
  );

  it('a publish that succeeded but answered an error is repeated, and seen once', async () => {
    const store = new MemoryPartitionStore();
    const producer = new RecordingProducer();
    let sends = 0;
    producer.onSend = async (records, write) => {
      write(records);
      if (++sends % 3 === 1) throw new Error('the answer was lost');
    };
    const harness = createHarness({ input, store, producer, owner: 'one' });
    await harness.drain();
    await harness.worker.stop();
    const calm = await runUndisturbed();
    expect(producer.written.length).toBeGreaterThan(calm.seen.length);
    expect(toSeen(producer.written)).toEqual(calm.seen);
  });

  it('a store that is away stalls the partition visibly, and nothing is lost', async () => {
    const store = new MemoryPartitionStore();
    const producer = new RecordingProducer();
    let stalled = 0;
    const harness = createHarness({
      input,
      store,
      producer,
      owner: 'one',
      telemetry: { stalled: () => void stalled++ },
    });
    await harness.drain({ until: () => (harness.worker.next ?? 0) >= 10 });
    store.failNext = new Error('connection refused');
    await harness.drain();
    await harness.worker.stop();
    expect(stalled).toBe(1);
    expect({ states: store.contents().states, seen: toSeen(producer.written) }).toEqual(await runUndisturbed());
  });

  it("repeats of an upstream processor, and a zombie's late ones, are dropped by position", async () => {
    const upstream = toInput(
      [1, 2, 3].map((value) => ({ key: 'a', body: { value } })),
      'upstream/0',
    );
    const doubled = [0, 1, 0, 1, 2, 2, 0].map((i, offset) => ({
      ...(upstream[i] as (typeof upstream)[number]),
      offset,
    }));
    const store = new MemoryPartitionStore();
    const producer = new RecordingProducer();
    const harness = createHarness({ input: doubled, store, producer, owner: 'one' });
    await harness.drain({ chunk: 2 });
    await harness.worker.stop();
    expect(JSON.parse(store.contents().states.a ?? '')).toMatchObject({ sum: 6 });
    expect(producer.written).toHaveLength(3);
    expect(store.contents().meta?.applied).toEqual({ 'upstream/0': { offset: 2, ordinal: 0 } });
  });

  it.each([1, 2, 3, 4])(
    'a failover that takes back part %i of a tick, of timers without outputs: none fires twice',
    async (part) => {
      const quiet: typeof summing = {
        ...summing,
        step(item, evidence) {
          const result = summing.step(item, evidence);
          return item.cause.kind === 'timer' ? { ...result, outputs: [] } : result;
        },
      };
      const bodies = Array.from({ length: 9 }, (_, i) => ({ key: `k${i}`, body: { value: i } }));
      const ticking = toInput([...bodies, { body: { tick: 50 } }]);
      const store = new MemoryPartitionStore();
      const commit = store.commit.bind(store);
      let parts = 0;
      store.commit = async (fence, request) => {
        await commit(fence, request);
        const isPart = fence.next === bodies.length && request.meta.next === fence.next;
        if (isPart && ++parts === part) store.loseCommits(1);
      };
      const harness = createHarness({
        input: ticking,
        store,
        producer: new RecordingProducer(),
        owner: 'one',
        definition: quiet,
        limits: { timersPerLoadMax: 2 },
      });
      await harness.drain({ chunk: bodies.length });
      await harness.worker.stop();
      const woken = Object.values(store.contents().states).map((state) => (JSON.parse(state) as Sum).woken);
      expect(woken).toEqual(bodies.map(() => 1));
      expect(parts).toBeGreaterThan(4);
    },
  );

  it('timers that do not fit one load are processed over several commits, once each, in order', async () => {
    const many = toInput([
      ...Array.from({ length: 9 }, (_, i) => ({ key: `k${i}`, body: { value: i } })),
      { body: { tick: 50 } },
      { body: { tick: 100 } },
    ]);
    const runs = await Promise.all(
      [1, 2, 4, 1000].map(async (timersPerLoadMax) => {
        const store = new MemoryPartitionStore();
        const producer = new RecordingProducer();
        const harness = createHarness({ input: many, store, producer, owner: 'one', limits: { timersPerLoadMax } });
        await harness.drain({ chunk: 20 });
        await harness.worker.stop();
        return { states: store.contents().states, seen: toSeen(producer.written) };
      }),
    );
    expect(runs[0]?.seen.filter((line) => line.includes('"cause":"timer"'))).toHaveLength(9);
    for (const run of runs) expect(run).toEqual(runs[3]);
  });
});
