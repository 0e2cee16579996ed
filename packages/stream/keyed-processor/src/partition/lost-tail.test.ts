import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { MemoryPartitionStore } from '@perennial/keyed-processor/testing';
import { createHarness, RecordingProducer, toInput } from '../worker-test-kit.js';

/*
 * A log loses its tail while a worker runs. The client's position is then beyond the end, so it restarts at the
 * earliest record. If the worker dropped those records as known, it would then also drop new records up to its own
 * offset, and skip them.
 */

const input = toInput(Array.from({ length: 6 }, (_, value) => ({ key: 'a', body: { value } })));

async function createDrained(high: () => number) {
  const stalled: unknown[] = [];
  const harness = createHarness({
    input,
    store: new MemoryPartitionStore(),
    producer: new RecordingProducer(),
    owner: 'one',
    telemetry: { stalled: (_partition, error) => void stalled.push(error) },
    checkContinuity: async (_partition, meta) => {
      if ((meta?.next ?? 0) > high()) throw new Error('the log lost its tail');
      return high();
    },
  });
  await harness.drain();
  return { worker: harness.worker, stalled };
}

describe('deliveries of what was processed before', () => {
  it('stop the partition visibly when the log has lost its tail, and keep it stopped when it grows again', async () => {
    let high = input.length;
    const { worker, stalled } = await createDrained(() => high);
    high = 4;
    await worker.deliver(input.slice(0, 4));
    await worker.deliver(input.slice(0, 4));
    expect(stalled).toEqual([new Error('the log lost its tail')]);
    expect(worker.ready).toBe(false);
    high = 8;
    await worker.deliver([{ ...(input[0] as (typeof input)[number]), offset: 6 }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([worker.next, worker.ready]).toEqual([6, false]);
    await worker.stop();
  });

  it('are not needed: a log that was lost whole delivers nothing, and is asked about', async () => {
    let high = input.length;
    const { worker, stalled } = await createDrained(() => high);
    await worker.verify();
    expect([stalled, worker.ready]).toEqual([[], true]);
    high = 0;
    await worker.verify();
    expect([stalled, worker.ready]).toEqual([[new Error('the log lost its tail')], false]);
    await worker.stop();
  });

  it('leave it going when the log could not be asked', async () => {
    let isAway = false;
    const { worker, stalled } = await createDrained(() => {
      if (isAway) throw new AppError('dependency_unavailable', 'the broker is away', { retriable: true });
      return input.length;
    });
    isAway = true;
    await worker.verify();
    expect([stalled.length, worker.ready]).toEqual([1, true]);
    await worker.stop();
  });

  it('mean nothing when the log is whole: a fetch from before a seek', async () => {
    const { worker, stalled } = await createDrained(() => input.length);
    await worker.deliver(input.slice(0, 4));
    await worker.deliver(input.slice(0, 4));
    expect([stalled, worker.ready]).toEqual([[], true]);
    await worker.deliver([{ ...(input[0] as (typeof input)[number]), offset: 6 }]);
    while (worker.next !== 7) await new Promise((resolve) => setImmediate(resolve));
    await worker.stop();
  });
});
