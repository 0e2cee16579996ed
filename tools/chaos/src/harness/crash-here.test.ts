import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Log, OutgoingRecord } from '@perennial/kafka';
import { createMemoryLog } from '@perennial/kafka/testing';
import type { PartitionStore } from '@perennial/keyed-processor';
import { createCrashHere } from './crash-here.js';

const RECORD: OutgoingRecord = { topic: 't', partition: 0, key: Buffer.from('k'), value: null, headers: {} };
const TICK: OutgoingRecord = { ...RECORD, key: null };

describe('a crash point', () => {
  let folder: string;
  let wanted: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'crash-points-'));
    wanted = join(folder, 'wanted');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** What a process does until it ends: a tick, then one commit, then two published records. */
  async function run() {
    const done: string[] = [];
    const crash = createCrashHere(wanted, () => {
      throw new Error('ended');
    });
    const real: Log = {
      ...createMemoryLog({ partitions: 1 }),
      createProducer: async () => ({
        send: async (sent) => void done.push(`sent ${sent.length}`),
        close: async () => {},
      }),
    };
    const store = { commit: async () => void done.push('committed') } as unknown as PartitionStore;
    const producer = await crash.log(real).createProducer();
    await producer.send([TICK, TICK, TICK]);
    const works = async () => {
      const fence = { owner: 'o', next: 0, commits: 0 };
      const meta = { next: 1, ordinal: 0, commits: 1, logTimeMs: 0, sequence: 0, inForce: [], applied: {} };
      const request = { meta, states: [], timers: [], outbox: undefined, acknowledged: [] };
      await crash.store(store).commit(fence, request);
      await producer.send([RECORD, RECORD]);
    };
    await works().then(
      () => done.push('lived'),
      (error: Error) => done.push(error.message),
    );
    return { done, isStillWanted: existsSync(wanted) };
  }

  it.each([
    ['before commit', []],
    ['after commit', ['committed']],
    ['in mid publish', ['committed', 'sent 1']],
    ['after publish', ['committed', 'sent 2']],
  ])('%s ends the process there, once', async (point, done) => {
    writeFileSync(wanted, point);
    expect(await run()).toEqual({ done: ['sent 3', ...done, 'ended'], isStillWanted: false });
    expect(await run()).toEqual({ done: ['sent 3', 'committed', 'sent 2', 'lived'], isStillWanted: false });
  });
});
