import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { ECOMMERCE_FEATURES, encodeFeatureSpec } from '@perennial/feature-engine';
import { toSha256 } from '@perennial/kernel';
import { fillPartition } from './fill-partition.js';
import {
  createMemoryArtifacts,
  createTestProcessor,
  NAMESPACE,
  TestWorld,
  toArchive,
  toTarget,
} from './fill-test-kit.js';

const pages = { unit: 'pages', event: { type: 'page', name: undefined }, windowMs: undefined } as const;
const GROWN = [...ECOMMERCE_FEATURES, { ...pages, name: 'pages_all', aggregation: 'count' } as const];
const HASH = toSha256(encodeFeatureSpec(GROWN));
const EVENTS = 320;

describe('a fill', () => {
  it('lets others have the thread every 32 records, however many a file has', async () => {
    const store = createMemoryArtifacts(GROWN);
    const processor = createTestProcessor(store);
    const world = new TestWorld(processor);
    for (let i = 0; i < EVENTS; i++) {
      const at = { timestampMs: 1e12 + i, receivedAtMs: 1e12 + i };
      await world.event({ key: 'profile-0', messageId: `m${i}`, type: 'page', name: '', properties: {}, ...at });
    }
    const partition = world.logs.findIndex(({ records }) => records.length > 0);
    await world.rollOut(partition, 'feature-filling', 2, HASH);
    await world.rollOut(partition, 'features', 2, HASH);
    let turns = 0;
    let isDone = false;
    const take = () => {
      turns += 1;
      if (!isDone) setImmediate(take);
    };
    setImmediate(take);
    const archive = toArchive(world.logs, { fileRecords: 10_000 });
    const target = toTarget(processor, HASH);
    const fill = await fillPartition(
      { namespace: NAMESPACE, archive, blobs: new MemoryBlobStore(), store, target },
      partition,
    );
    isDone = true;
    expect(fill).toMatchObject({ until: EVENTS + 1, profiles: 1 });
    expect(turns).toBeGreaterThanOrEqual(EVENTS / 32);
  });
});
