import { describe, expect, it } from '@jest/globals';
import { MemoryPartitionStore } from '@perennial/keyed-processor/testing';
import { createHarness, RecordingProducer, toInput } from '../worker-test-kit.js';

/*
 * A delivery above the expected offset is a fetch from before a seek, unless it repeats after that seek: then the log
 * has a gap there. Only deliveries of the current ownership count: two strays of two ownerships are not a gap, and
 * treating them as one would skip records.
 */

const input = toInput(Array.from({ length: 6 }, (_, value) => ({ key: 'a', body: { value } })));

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

function createStarted() {
  const store = new MemoryPartitionStore();
  const acquired: number[] = [];
  const harness = createHarness({
    input,
    store,
    producer: new RecordingProducer(),
    owner: 'one',
    telemetry: { acquired: (partition) => void acquired.push(partition) },
  });
  harness.worker.start();
  return { store, acquired, worker: harness.worker };
}

describe('a delivery above what is expected', () => {
  it('is a gap of the log when it comes again', async () => {
    const { worker, acquired } = createStarted();
    await until(() => acquired.length === 1);
    await worker.deliver(input.slice(2, 4));
    expect(worker.next).toBe(0);
    await worker.deliver(input.slice(2, 4));
    await until(() => worker.next === 4);
    await worker.stop();
  });

  it('is none when the other sighting was of another ownership', async () => {
    const { worker, acquired, store } = createStarted();
    await until(() => acquired.length === 1);
    await worker.deliver(input.slice(2, 4));
    store.failNext = new Error('connection refused');
    await worker.deliver(input.slice(0, 1));
    await until(() => acquired.length === 2);
    await worker.deliver(input.slice(2, 4));
    await worker.deliver(input);
    await until(() => worker.next === 6);
    expect(JSON.parse(store.contents().states.a ?? '')).toMatchObject({ sum: 0 + 1 + 2 + 3 + 4 + 5 });
    await worker.stop();
  });
});
