import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { MemoryPartitionStore, OUT, REJECTED, toSeen } from '@perennial/keyed-processor/testing';
import { createHarness, RecordingProducer, toInput } from '../worker-test-kit.js';

/*
 * A rollout of an unusable artifact must change nothing, on no partition and for no later processor, and must be
 * visible; one that cannot be loaded yet must wait.
 */

const input = toInput([
  { key: 'a', body: { value: 1 } },
  { body: { rollout: 10 } },
  { key: 'a', body: { value: 1 } },
  { body: { rollout: REJECTED } },
  { key: 'a', body: { value: 1 } },
]);

describe('a rejected rollout', () => {
  it.each([1, 5])(
    'leaves what was in force, is kept as a dead letter and is not forwarded (deliveries of %i)',
    async (chunk) => {
      const store = new MemoryPartitionStore();
      const producer = new RecordingProducer();
      const rejected: unknown[] = [];
      const telemetry = { rejected: (...reported: unknown[]) => void rejected.push(reported) };
      const harness = createHarness({ input, store, producer, owner: 'one', telemetry });
      await harness.drain({ chunk });
      await harness.worker.stop();

      expect(store.contents().meta?.inForce).toEqual([{ kind: 'factor', number: 10, hash: '' }]);
      expect(store.contents().states.a).toContain('"sum":21,');
      const seen = toSeen(producer.written);
      expect(seen.filter((line) => line.includes('"kind":"rollout"'))).toEqual([
        expect.stringContaining(`${OUT} null {"kind":"rollout","rollout":{"kind":"factor","number":10`),
      ]);
      const [letter] = producer.written.filter(({ topic }) => topic === 'dead');
      expect(String(letter?.value)).toBe(JSON.stringify({ rollout: REJECTED }));
      expect(Object.values(letter?.headers ?? {})).toContain('this one is rejected');
      expect(rejected).toEqual([
        [0, { kind: 'factor', number: REJECTED, hash: '' }, { reason: 'this one is rejected' }],
      ]);
    },
  );

  it('of what is in force already stops the partition: there is nothing else to go by', async () => {
    const store = new MemoryPartitionStore();
    const producer = new RecordingProducer();
    const inForce = [{ kind: 'factor', number: REJECTED, hash: '' }];
    const { meta } = await store.acquire('before');
    expect(meta).toBeUndefined();
    const begun = {
      next: 0,
      ordinal: 0,
      commits: 0,
      logTimeMs: 0,
      sequence: 0,
      inForce,
      applied: {},
      restoring: undefined,
    };
    await store.commit(
      { owner: 'before', next: 0, commits: 0 },
      { meta: begun, states: [], timers: [], outbox: undefined, acknowledged: [] },
    );
    const reported: unknown[] = [];
    const telemetry = { stalled: (_: number, error: unknown) => void reported.push(error) };
    const { worker, drain } = createHarness({ input, store, producer, owner: 'one', telemetry });
    await drain({ until: () => reported.length > 2 });
    expect(worker.ready).toBe(false);
    await worker.stop();
    expect(reported[0]).toBeInstanceOf(AppError);
    expect(reported[0]).toMatchObject({ message: expect.stringContaining('this one is rejected') });
    expect(producer.written).toEqual([]);
  });
});
