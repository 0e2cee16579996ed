import { describe, expect, it } from '@jest/globals';
import type { LogRecord } from '@perennial/kafka';
import { MemoryPartitionStore, OUT, REJECTED, toSeen } from '@perennial/keyed-processor/testing';
import type { CommitRequest, Fence, PartitionStore } from '../store/store.js';
import { createHarness, RecordingProducer, toInput } from '../worker-test-kit.js';

/*
 * A process crashes at any point of a batch and another takes over: states, and records as a reader who drops repeats
 * sees them, must equal those of a run without crashes.
 */

const POINTS = ['before commit', 'after commit', 'in mid publish', 'after publish'] as const;
type Point = (typeof POINTS)[number];

const input: LogRecord[] = toInput([
  { body: { tick: 1 } },
  { key: 'a', body: { value: 1 } },
  { key: 'b', body: { value: 2 } },
  { key: 'a', body: { value: 3 } },
  { key: 'c', body: 'no json' },
  { body: { tick: 5 } },
  { key: 'c', body: { value: 4 } },
  { key: 'c', body: { value: -1 } },
  { body: { rollout: 10 } },
  { body: { rollout: REJECTED } },
  { body: { tick: 12 } },
  { key: 'a', body: { value: 1 } },
  { body: { tick: 40 } },
  { key: 'b', body: { value: 1 } },
  { body: { tick: 60 } },
]);

/** Never resolves: how a crashed process sees its dependencies. */
const silence = () => new Promise<never>(() => {});

/** Crashes when `point` is reached for the `nth` time: from then on, store and producer do nothing for the process. */
class Crash {
  happened = false;
  #left: number;
  readonly #point: Point;

  constructor(point: Point, nth: number) {
    this.#point = point;
    this.#left = nth;
  }

  async at(point: Point): Promise<void> {
    if (this.happened) await silence();
    if (point !== this.#point || --this.#left > 0) return;
    this.happened = true;
    await silence();
  }

  store(real: MemoryPartitionStore): PartitionStore {
    return {
      acquire: (owner) => real.acquire(owner),
      load: (fence, request) => real.load(fence, request),
      scan: (guard, from) => real.scan(guard, from),
      peek: (guard, keys) => real.peek(guard, keys),
      wipe: (owner) => real.wipe(owner),
      commit: async (fence: Fence, request: CommitRequest) => {
        await this.at('before commit');
        await real.commit(fence, request);
        await this.at('after commit');
      },
    };
  }

  producer(real: RecordingProducer): RecordingProducer {
    const producer = new RecordingProducer();
    producer.onSend = async (records) => {
      const half = Math.ceil(records.length / 2);
      await real.send(records.slice(0, half));
      await this.at('in mid publish');
      await real.send(records.slice(half));
      await this.at('after publish');
    };
    return producer;
  }
}

async function runUndisturbed(chunk: number, batchItemsMax: number) {
  const store = new MemoryPartitionStore();
  const producer = new RecordingProducer();
  const harness = createHarness({ input, store, producer, owner: 'calm', limits: { batchItemsMax } });
  await harness.drain({ chunk });
  await harness.worker.stop();
  return { contents: withoutCounts(store), seen: toSeen(producer.written) };
}

/** The numbers of commits and outboxes depend on where batches were cut; nothing else may. */
function withoutCounts(store: MemoryPartitionStore) {
  const { meta, ...rest } = store.contents();
  return { ...rest, meta: { ...meta, sequence: undefined, commits: undefined } };
}

describe('a crash at any point', () => {
  it('the undisturbed run is what the input says', async () => {
    const { contents, seen } = await runUndisturbed(3, 1000);
    expect(contents.states).toEqual({
      a: JSON.stringify({ sum: 14, wakeAtMs: null, woken: 2 }),
      b: JSON.stringify({ sum: 12, wakeAtMs: null, woken: 2 }),
      c: JSON.stringify({ sum: 4, wakeAtMs: null, woken: 1 }),
    });
    expect(seen.filter((line) => line.includes(' dead '))).toHaveLength(3);
    expect(seen.filter((line) => line.includes(` ${OUT} `))).toHaveLength(17);
  });

  it.each([
    [1, 1000],
    [5, 1],
    [14, 2],
    [14, 1000],
  ])(
    'outputs do not depend on where batches are cut (deliveries of %i, commits of %i)',
    async (chunk, batchItemsMax) => {
      expect(await runUndisturbed(chunk, batchItemsMax)).toEqual(await runUndisturbed(3, 1000));
    },
  );

  const cases = POINTS.flatMap((point) =>
    [1, 2, 3, 5, 8].flatMap((nth) => [1, 3, 14].map((chunk) => ({ point, nth, chunk }))),
  );
  it.each(cases)(
    '$point, time $nth, deliveries of $chunk: as if nothing had happened',
    async ({ point, nth, chunk }) => {
      const store = new MemoryPartitionStore();
      const producer = new RecordingProducer();
      const crash = new Crash(point, nth);
      const first = createHarness({
        input,
        store: crash.store(store),
        producer: crash.producer(producer),
        owner: 'first',
        limits: { batchItemsMax: 2, drainMs: 1 },
      });
      await first.drain({ chunk, until: () => crash.happened });

      const second = createHarness({ input, store, producer, owner: 'second' });
      await second.drain({ chunk });
      await second.worker.stop();

      expect({ contents: withoutCounts(store), seen: toSeen(producer.written) }).toEqual(await runUndisturbed(3, 1000));
    },
  );
});
