import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openBlobStore } from '@perennial/blob-store';
import { toPartition, toTopic } from '@perennial/contracts';
import { createKafkaLog, createTopics, type Log } from '@perennial/kafka';
import { AppError, createSeededRandom, ReleaseStack, systemClock, untilAborted } from '@perennial/kernel';
import {
  createRedisPartitionStore,
  type Processor,
  type SnapshotLimits,
  startProcessor,
  toPartitionKeys,
} from '@perennial/keyed-processor';
import { startStack, stopStack, toLayout } from '@perennial/native-stack';
import { connectRedis, type Redis } from '@perennial/redis';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createOpaqueDefinition, createOpaqueState } from './opaque-definition.js';
import { until } from './until.js';

export interface RestoreBenchOptions {
  readonly root?: string | undefined;
  readonly profiles: number;
  readonly stateBytes: number;
  readonly partitions: number;
  /** Records written after the snapshots; they are processed after the restore. */
  readonly records: number;
  readonly seed: number;
  readonly onProgress: (message: string) => void;
  /** Ends the run early: it throws the reason once everything that it started has stopped. */
  readonly signal?: AbortSignal | undefined;
}

export interface RestoreBenchReport {
  readonly options: Omit<RestoreBenchOptions, 'onProgress' | 'root' | 'signal'>;
  /** At full speed; a service pauses most of the time (`timeShareMax`). */
  readonly writeSeconds: number;
  readonly snapshotBytes: number;
  /** From the start of the process until every partition is restored. */
  readonly restoreSeconds: number;
  /** The same, until the records after the snapshots are processed too. */
  readonly currentSeconds: number;
  /** Resident memory of this process, which had filled Redis before. */
  readonly memoryBytesMax: number;
}

const NAMESPACE = 'bench-restore';
const PROCESSOR = 'opaque';
const FILL_BATCH = 1000;
const WAIT = { waitMsMax: 900_000, pollMs: 50 };

/** Fills a Redis of its own, writes snapshots, empties Redis and measures how long the restore takes. */
export async function runRestoreBench(options: RestoreBenchOptions): Promise<RestoreBenchReport> {
  const { root } = toLayout({ root: options.root });
  const home = join(root, '.perennial', 'bench-restore');
  const releases = new ReleaseStack();
  releases.push('bench stack', async () => {
    await stopStack({ root, home, removeData: true });
    rmSync(home, { recursive: true, force: true });
  });
  try {
    return await untilAborted(options.signal, restoreOnce({ ...options, root, home }, releases));
  } finally {
    await releases.dispose();
  }
}

async function restoreOnce(
  options: RestoreBenchOptions & { readonly root: string; readonly home: string },
  releases: ReleaseStack,
): Promise<RestoreBenchReport> {
  const { root, home, ...bench } = options;
  const stack = await startStack({ root, home, onProgress: options.onProgress });
  const logger = createSilentLogger();
  const brokers = stack.kafkaBrokers.split(',');
  const log = await releases.acquire(
    'kafka',
    async () => createKafkaLog({ brokers, clientId: 'bench', logger }),
    (open) => open.close(),
  );
  const redis = await releases.acquire(
    'redis',
    () => connectRedis({ url: stack.redisUrl, logger, name: 'bench' }),
    (open) => open.disconnect(),
  );
  const topics = [toTopic(NAMESPACE, 'eventAccepted'), toTopic(NAMESPACE, 'deadLettered')];
  await createTopics(
    { brokers, clientId: 'bench', logger },
    topics.map((name) => ({ name, partitions: options.partitions, retentionMs: -1, cleanup: 'delete' as const })),
  );
  return measureRestore({ ...bench, log, redis, folder: join(home, 'snapshots') });
}

type Bench = RestoreBenchOptions & { readonly log: Log; readonly redis: Redis; readonly folder: string };

async function measureRestore(bench: Bench): Promise<RestoreBenchReport> {
  const { onProgress, signal: _signal, root: _root, log, redis, folder, ...options } = bench;
  onProgress(`filling Redis with ${options.profiles} profiles`);
  await fill(bench);
  onProgress('writing a snapshot of each partition');
  const written = await writeSnapshots(bench);
  onProgress(`sending ${options.records} records`);
  await send(bench);
  await redis.flushall();
  onProgress('restoring');
  const memory = watchMemory();
  const startedMs = systemClock.now();
  // No further snapshots: only the restore is measured.
  const processor = await start(bench, { intervalMs: 86_400_000 });
  const sinceSeconds = () => (systemClock.now() - startedMs) / 1000;
  await until(async () => (await readPositions(bench)).every(({ isRestored }) => isRestored), {
    ...WAIT,
    otherwise: () => 'not every partition is restored',
  });
  const restoreSeconds = sinceSeconds();
  const ends = await log.offsets(toTopic(NAMESPACE, 'eventAccepted'));
  await until(async () => (await readPositions(bench)).every(({ next }, i) => next === ends.get(i)?.high), {
    ...WAIT,
    otherwise: () => 'not every record is processed',
  });
  const currentSeconds = sinceSeconds();
  const memoryBytesMax = memory.stop();
  await processor.stop();
  await checkProfiles(bench);
  return { options, ...written, restoreSeconds, currentSeconds, memoryBytesMax };
}

async function fill({ profiles, partitions, stateBytes, seed, redis }: Bench): Promise<void> {
  const random = createSeededRandom(seed);
  const batches = new Map<number, Array<readonly [string, Buffer]>>();
  const stores = Array.from({ length: partitions }, (_, partition) => openStore(redis, partition));
  const meta = { next: 0, ordinal: 0, commits: 0, logTimeMs: 0, sequence: 0, inForce: [], applied: {} };
  const flush = async (partition: number) => {
    const states = batches.get(partition) ?? [];
    batches.delete(partition);
    const timers = states.map(([key, state]) => [key, state.readUInt32LE()] as const);
    const fence = { owner: 'fill', next: 0, commits: 0 };
    await stores[partition]?.commit(fence, { meta, states, timers, outbox: undefined, acknowledged: [] });
  };
  for (const store of stores) await store.acquire('fill');
  for (let i = 0; i < profiles; i++) {
    const key = toKey(i);
    const partition = toPartition(key, partitions);
    const batch = batches.get(partition) ?? [];
    batch.push([key, createOpaqueState(stateBytes, random)]);
    batches.set(partition, batch);
    if (batch.length >= FILL_BATCH) await flush(partition);
  }
  for (const partition of stores.keys()) await flush(partition);
}

async function writeSnapshots(bench: Bench): Promise<{ writeSeconds: number; snapshotBytes: number }> {
  const blobs = await openBlobStore({ kind: 'folder', folder: bench.folder });
  const startedMs = systemClock.now();
  const processor = await start(bench, { timeShareMax: 1 });
  const countManifests = async () => (await blobs.list('')).filter((key) => key.includes('/manifests/')).length;
  await until(async () => (await countManifests()) === bench.partitions, {
    ...WAIT,
    otherwise: () => 'not every partition has its snapshot',
  });
  const writeSeconds = (systemClock.now() - startedMs) / 1000;
  await processor.stop();
  let snapshotBytes = 0;
  for (const key of await blobs.list('')) snapshotBytes += (await blobs.get(key))?.length ?? 0;
  return { writeSeconds, snapshotBytes };
}

async function send({ log, records, profiles, partitions, stateBytes, seed }: Bench): Promise<void> {
  const random = createSeededRandom(seed + 1);
  const producer = await log.createProducer();
  for (let sent = 0; sent < records; ) {
    const count = Math.min(FILL_BATCH, records - sent);
    await producer.send(
      Array.from({ length: count }, () => {
        const key = toKey(Math.floor(random() * profiles));
        const value = createOpaqueState(stateBytes, random);
        const topic = toTopic(NAMESPACE, 'eventAccepted');
        return { topic, partition: toPartition(key, partitions), key: Buffer.from(key), value, headers: {} };
      }),
    );
    sent += count;
  }
  await producer.close();
}

async function start({ log, redis, folder }: Bench, limits: Partial<SnapshotLimits>): Promise<Processor> {
  return startProcessor({
    definition: createOpaqueDefinition({ name: PROCESSOR, inputTopic: toTopic(NAMESPACE, 'eventAccepted') }),
    namespace: NAMESPACE,
    log,
    redis,
    logger: createSilentLogger(),
    metrics: createMetrics({ service: 'bench', namespace: NAMESPACE, processMetrics: false }),
    snapshots: { blobs: await openBlobStore({ kind: 'folder', folder }), limits },
  });
}

async function readPositions({ redis, partitions }: Bench) {
  const metas = Array.from({ length: partitions }, (_, partition) =>
    redis.hmget(toPartitionKeys(NAMESPACE, PROCESSOR, partition).meta, 'next', 'restoring'),
  );
  return (await Promise.all(metas)).map(([next, restoring]) => ({
    next: Number(next ?? Number.NaN),
    isRestored: next !== null && (restoring ?? '') === '',
  }));
}

async function checkProfiles({ redis, partitions, profiles }: Bench): Promise<void> {
  const counts = Array.from({ length: partitions }, (_, partition) =>
    redis.hlen(toPartitionKeys(NAMESPACE, PROCESSOR, partition).states),
  );
  const restored = (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  if (restored !== profiles) throw new AppError('data_damaged', `${restored} profiles came back, not ${profiles}`);
}

function openStore(redis: Redis, partition: number) {
  return createRedisPartitionStore(redis, { namespace: NAMESPACE, processor: PROCESSOR, partition });
}

function toKey(number: number): string {
  return `profile-${String(number).padStart(16, '0')}`;
}

function watchMemory() {
  let mostBytes = 0;
  const timer = setInterval(() => {
    mostBytes = Math.max(mostBytes, process.memoryUsage().rss);
  }, WAIT.pollMs);
  return {
    stop(): number {
      clearInterval(timer);
      return mostBytes;
    },
  };
}

/** The report as text. */
export function formatRestoreReport(report: RestoreBenchReport): string {
  const { options, writeSeconds, snapshotBytes, restoreSeconds, currentSeconds, memoryBytesMax } = report;
  const perSecond = (count: number, seconds: number) => Math.round(count / seconds).toLocaleString('en-US');
  const { profiles, stateBytes, partitions, records, seed } = options;
  return [
    `restore bench: ${profiles.toLocaleString('en-US')} profiles of ${stateBytes} bytes, ${partitions} partitions, seed ${seed}`,
    '',
    `written    ${writeSeconds.toFixed(1)} s at full speed, ${perSecond(profiles, writeSeconds)} profiles/s, ${Math.round(snapshotBytes / 2 ** 20)} MiB`,
    `restored   ${restoreSeconds.toFixed(1)} s, ${perSecond(profiles, restoreSeconds)} profiles/s, resident memory ${Math.round(memoryBytesMax / 2 ** 20)} MiB at most`,
    `current    ${currentSeconds.toFixed(1)} s, with ${records.toLocaleString('en-US')} records after the snapshots`,
  ].join('\n');
}
