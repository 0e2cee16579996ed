import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord, type Rollout } from '@perennial/contracts';
import { createMemoryLog } from '@perennial/kafka/testing';
import { FakeClock } from './testing/fakes.js';
import { writeRollout } from './write-rollout.js';

describe('writeRollout', () => {
  async function open() {
    const log = createMemoryLog({ partitions: 3 });
    const last = new Map<number, Rollout>();
    const ledger = {
      load: async () => new Map(last),
      save: async (partition: number, rollout: Rollout) => void last.set(partition, rollout),
    };
    const clock = Object.assign(new FakeClock(), { wait: async () => undefined });
    const deps = { producer: await log.createProducer(), ledger, topic: 'accepted', partitions: 3, clock };
    const written = () =>
      log.records('accepted').map(({ value, partition }) => {
        const { record } = AcceptedRecord.decode(value ?? Buffer.alloc(0));
        return record?.$case === 'rollout' ? [partition, record.value.number] : [];
      });
    return { log, deps, last, written };
  }
  const one = { kind: 'policy', number: 1, hash: 'a'.repeat(64) };
  const two = { kind: 'policy', number: 2, hash: 'b'.repeat(64) };

  it('writes each partition once', async () => {
    const { deps, written } = await open();
    expect(await writeRollout(one, deps)).toEqual([0, 1, 2]);
    expect(await writeRollout(one, deps)).toEqual([]);
    expect(written()).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
  });

  it('writes only where it is missing, and back to an earlier number', async () => {
    const { deps, last, written } = await open();
    last.set(1, two);
    expect(await writeRollout(two, deps)).toEqual([0, 2]);
    expect(await writeRollout(one, deps)).toEqual([0, 1, 2]);
    expect(written()).toHaveLength(5);
  });

  it('tries again until each partition has it', async () => {
    const { deps, log, written } = await open();
    log.failNextSend({ written: 0 });
    log.failNextSend({ written: 1 });
    await writeRollout(one, deps);
    expect(written().map(([partition]) => partition)).toEqual([0, 0, 1, 2]);
  });
});
