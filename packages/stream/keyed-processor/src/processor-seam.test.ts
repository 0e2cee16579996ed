import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { createMemoryLog } from '@perennial/kafka/testing';
import { MemoryPartitionStore, summing } from '@perennial/keyed-processor/testing';
import type { Redis } from '@perennial/redis';
import { type ProcessorPorts, passSeam, processorSeam } from './processor-seam.js';

const NO_REDIS = {} as Redis;

function createPorts(): ProcessorPorts<unknown, unknown, unknown> {
  const store = new MemoryPartitionStore();
  return {
    definition: summing as ProcessorPorts<unknown, unknown, unknown>['definition'],
    log: createMemoryLog({ partitions: 1 }),
    openStore: () => store,
    snapshots: { blobs: new MemoryBlobStore() },
  };
}

describe('the seam of a processor', () => {
  it('puts what a harness has installed around every port, and takes nothing once a processor has passed', () => {
    const wrapped = createPorts();
    const places: unknown[] = [];
    processorSeam.install({
      definition: (definition) => ({ ...definition, name: 'wrapped' }),
      log: () => wrapped.log,
      store: (store, { redis: _redis, ...at }) => {
        places.push(at);
        return { ...store, wipe: async () => undefined };
      },
      blobs: () => wrapped.snapshots?.blobs ?? new MemoryBlobStore(),
    });
    const ports = passSeam(createPorts(), { namespace: 'test', redis: NO_REDIS });
    ports.openStore(3);
    expect(ports.definition.name).toBe('wrapped');
    expect(ports.log).toBe(wrapped.log);
    expect(ports.snapshots?.blobs).toBe(wrapped.snapshots?.blobs);
    expect(places).toEqual([{ namespace: 'test', processor: 'summing', partition: 3 }]);
    expect(() => processorSeam.install({})).toThrow('nothing has passed the processor seam yet');
  });
});
