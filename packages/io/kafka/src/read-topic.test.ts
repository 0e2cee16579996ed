import { describe, expect, it } from '@jest/globals';
import { createMemoryLog } from '@perennial/kafka/testing';
import { type ReadTopicOptions, readTopic } from './read-topic.js';

function setUp() {
  const log = createMemoryLog({ partitions: 3 });
  log.createTopic('t');
  const put = (partition: number, text: string) =>
    log.append({ topic: 't', partition, key: null, value: Buffer.from(text), headers: {} });
  const read: string[] = [];
  const run = (options: Partial<ReadTopicOptions> = {}) =>
    readTopic(log, { topic: 't', groupId: 'g', onRecord: ({ value }) => void read.push(String(value)), ...options });
  return { log, put, read, run };
}

describe('reading a topic', () => {
  it('ends where the log ends in offsets without a record, begins in them, or has nothing else', async () => {
    const { log, put, read, run } = setUp();
    put(0, 'a');
    log.appendControl('t', 0);
    log.appendControl('t', 1);
    log.appendControl('t', 2);
    put(2, 'b');
    await run();
    expect(read.sort()).toEqual(['a', 'b']);
  });

  it('begins where it is asked to, and leaves out partitions that begin at their end', async () => {
    const { put, read, run } = setUp();
    for (const text of ['a', 'b', 'c']) for (const partition of [0, 1]) put(partition, `${text}${partition}`);
    await run({ toStart: (partition, { high }) => (partition === 0 ? 2 : high) });
    expect(read).toEqual(['c0']);
  });

  it('ends at a stop, at an abort, and with the error of its handler', async () => {
    const { put, read, run } = setUp();
    for (const text of ['a', 'b', 'c']) put(0, text);
    await run({ onRecord: ({ value }) => (read.push(String(value)) === 2 ? 'stop' : undefined), follow: true });
    expect(read).toEqual(['a', 'b']);
    const ending = new AbortController();
    await run({ onRecord: () => ending.abort(), follow: true, signal: ending.signal });
    const failing = async () => {
      throw new Error('a full disk');
    };
    await expect(run({ onRecord: failing })).rejects.toThrow('a full disk');
  });

  it('goes on with new records where it follows', async () => {
    const { put, read, run } = setUp();
    put(0, 'a');
    const done = run({
      follow: true,
      onRecord({ value }) {
        if (read.push(String(value)) === 2) return 'stop';
        setTimeout(() => put(1, 'b'), 1);
        return undefined;
      },
    });
    await done;
    expect(read).toEqual(['a', 'b']);
  });
});
