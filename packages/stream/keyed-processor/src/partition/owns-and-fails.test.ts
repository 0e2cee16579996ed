import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@perennial/kernel';
import { MemoryPartitionStore } from '@perennial/keyed-processor/testing';
import { createHarness, impatientClock, RecordingProducer, toInput } from '../worker-test-kit.js';

/*
 * A partition that owns, fails and owns again looks healthy between two failures. It is ready again, and its waits are
 * short again, only when a batch was committed.
 */

const input = toInput([1, 2, 3, 4].map((value) => ({ key: 'a', body: { value } })));

describe('a partition whose commits fail', () => {
  it('is unready all the time, waits longer each time, and is ready once a batch is committed', async () => {
    const store = new MemoryPartitionStore();
    let away = true;
    let acquired = 0;
    const commit = store.commit.bind(store);
    store.commit = async (fence, request) => {
      if (away && request.meta.next > 0) throw new Error('redis is away');
      await commit(fence, request);
    };
    const waits: number[] = [];
    const readyAt: boolean[] = [];
    const clock: Clock = {
      ...impatientClock,
      wait: async (ms, signal) => {
        waits.push(ms);
        await impatientClock.wait(1, signal);
      },
    };
    const { worker, health, drain } = createHarness({
      input,
      store,
      producer: new RecordingProducer(),
      owner: 'one',
      clock,
      limits: { retryInitialMs: 10, retryMaxMs: 1_000 },
      telemetry: {
        acquired: () => {
          acquired++;
          setImmediate(() => readyAt.push(worker.ready));
        },
      },
    });
    await drain({ until: () => acquired > 9 });
    // The first time it has not failed yet.
    expect(readyAt.slice(1, 9)).toEqual(Array(8).fill(false));
    expect(health.problems()[0]).toMatch(/^partition 0 of in stands still since .*: redis is away$/);
    expect(waits.slice(0, 9)).toEqual([8, 15, 30, 60, 120, 240, 480, 750, 750]);
    away = false;
    await drain();
    expect([worker.ready, health.problems()]).toEqual([true, []]);
    await worker.stop();
  });
});
