import { expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { AcceptedRecord } from '@perennial/contracts';
import { ConsumerHealth } from '@perennial/kafka';
import { AppError, systemClock } from '@perennial/kernel';
import { createLogger, createMetrics } from '@perennial/telemetry';
import { createRecords, NAMESPACE, TOPIC } from './archive-test-kit.js';
import { EventArchive } from './event-archive.js';
import { createArchiveEvents } from './events.js';
import { ARCHIVE_LIMITS } from './limits.js';
import { PartitionArchiver } from './partition-archiver.js';

const START_MS = Date.UTC(2026, 0, 1);

/** An archiver of partition 0 that has begun, with the health of its consumer. */
async function setUp() {
  const metrics = createMetrics({ service: 'test', namespace: NAMESPACE, processMetrics: false });
  const health = new ConsumerHealth({
    consumer: 'event-archive',
    topic: TOPIC,
    backoff: { initialMs: 1, maxMs: 2 },
    clock: systemClock,
    random: () => 0,
    metrics,
  });
  const archiver = new PartitionArchiver({
    archive: new EventArchive(new MemoryBlobStore(), NAMESPACE),
    listFiles: async () => new Map(),
    partition: 0,
    limits: ARCHIVE_LIMITS,
    fileBytesMax: 1_000_000,
    clock: systemClock,
    events: createArchiveEvents(
      createLogger({ service: 'test', namespace: NAMESPACE, instanceId: 'test', level: 'silent' }),
      metrics,
    ),
    health,
    readOffsets: async () => ({ low: 0, high: 20 }),
    seek: () => undefined,
    beyond: (offset) => offset,
  });
  health.assigned([0]);
  await archiver.start();
  return { archiver, health };
}

it('does not stand still after a failure of its consumer once it reads on, though its next file is minutes away', async () => {
  const { archiver, health } = await setUp();
  const [first, ...rest] = createRecords(1, 20).map((record) => ({ ...record, timestampMs: START_MS }));
  await archiver.take(first === undefined ? [] : [first]);
  health.consumerFailed(new AppError('dependency_unavailable', 'the broker is unavailable'));
  expect(health.problems()).toHaveLength(1);
  await archiver.take(rest);
  expect(archiver.archived).toBe(0);
  expect(health.problems()).toEqual([]);
});

it('stores at once what leads up to a feature spec, since a fill waits for it', async () => {
  const { archiver } = await setUp();
  const records = createRecords(1, 20).map((record) => ({ ...record, timestampMs: START_MS }));
  const value = { kind: 'features', number: 2, hash: 'h' };
  const rollout = Buffer.from(AcceptedRecord.encode({ record: { $case: 'rollout', value } }).finish());
  await archiver.take(
    records.map((record) => (record.offset === 12 ? { ...record, key: null, value: rollout } : record)),
  );
  expect(archiver.archived).toBe(13);
});
