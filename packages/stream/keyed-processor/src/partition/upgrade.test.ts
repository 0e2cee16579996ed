import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { MemoryPartitionStore, type Sum, type SumInput, summing, toSeen } from '@perennial/keyed-processor/testing';
import type { ProcessorDefinition, StateCodec } from '../definition.js';
import { createHarness, RecordingProducer, toInput } from '../worker-test-kit.js';

/* Releases that share partitions: one that writes a newer version of states, and older ones. */

const NEWER = '2|';

const oldCodec: StateCodec<Sum> = {
  ...summing.codec,
  decode(bytes) {
    if (String(bytes).startsWith(NEWER)) throw new AppError('contract_violation', 'a state of version 2');
    return summing.codec.decode(bytes);
  },
};

/** The intermediate release: it reads both versions and writes the old one. */
const readingCodec: StateCodec<Sum> = {
  ...summing.codec,
  decode: (bytes) => summing.codec.decode(Buffer.from(String(bytes).replace(NEWER, ''))),
};

const newCodec: StateCodec<Sum> = {
  ...readingCodec,
  encode: (state) => Buffer.concat([Buffer.from(NEWER), summing.codec.encode(state)]),
};

const input = toInput(Array.from({ length: 12 }, (_, value) => ({ key: 'ab'[value % 2] ?? '', body: { value } })));

function createWorld() {
  const store = new MemoryPartitionStore();
  const producer = new RecordingProducer();
  const stalled: string[] = [];
  const start = (codec: StateCodec<Sum>, upTo: number) => {
    const definition: ProcessorDefinition<Sum, SumInput, number> = { ...summing, codec };
    const telemetry = { stalled: (_partition: number, error: unknown) => void stalled.push((error as Error).message) };
    return createHarness({ definition, input: input.slice(0, upTo), store, producer, owner: 'any', telemetry });
  };
  return { store, producer, stalled, start };
}

async function process(start: ReturnType<typeof createWorld>['start'], codec: StateCodec<Sum>, upTo: number) {
  const { drain, worker } = start(codec, upTo);
  await drain();
  await worker.stop();
}

async function runUndisturbed(): Promise<string[]> {
  const { start, producer } = createWorld();
  await process(start, summing.codec, input.length);
  return toSeen(producer.written);
}

describe('a newer version of states', () => {
  it('stops a release that cannot read it, visibly, with nothing skipped, until one comes that can', async () => {
    const { start, producer, stalled } = createWorld();
    await process(start, newCodec, 6);
    const old = start(oldCodec, input.length);
    await old.drain({ until: () => stalled.length >= 3 });
    expect([old.worker.ready, old.worker.next ?? 6]).toEqual([false, 6]);
    expect(new Set(stalled)).toEqual(new Set(['a state of version 2']));
    await old.worker.stop();
    expect(toSeen(producer.written)).toHaveLength(6);
    await process(start, newCodec, input.length);
    expect(toSeen(producer.written)).toEqual(await runUndisturbed());
  });

  it('goes and comes with the partition between a release that reads it and one that writes it', async () => {
    const { start, producer, stalled } = createWorld();
    const codecs = [oldCodec, readingCodec, newCodec, readingCodec, newCodec, readingCodec];
    for (const [i, codec] of codecs.entries()) await process(start, codec, 2 * (i + 1));
    expect(stalled).toEqual([]);
    expect(toSeen(producer.written)).toEqual(await runUndisturbed());
  });
});
