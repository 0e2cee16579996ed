import { type BlobLocation, type BlobStore, openBlobStore } from '@perennial/blob-store';
import { toConsumerGroup } from '@perennial/contracts';
import type { Log } from '@perennial/kafka';
import { AppError, type Clock, Mutex } from '@perennial/kernel';
import type { PartitionStore } from '../store/store.js';
import { PartitionSnapshots } from './partition-snapshots.js';
import { SnapshotArchive } from './snapshot-archive.js';
import type { LogReach } from './snapshot-choice.js';
import { DEFAULT_SNAPSHOT_LIMITS, type SnapshotLimits } from './snapshot-limits.js';
import type { SnapshotTelemetry } from './snapshot-telemetry.js';

/** Where a processor's snapshots are kept. */
export interface SnapshotSettings {
  readonly blobs: BlobStore;
  readonly limits?: Partial<SnapshotLimits>;
}

/** The configured snapshots; undefined when they are off. */
export async function openSnapshotSettings(
  config: { readonly kind: 'off' } | (BlobLocation & { readonly intervalMs: number }),
): Promise<SnapshotSettings | undefined> {
  if (config.kind === 'off') return undefined;
  return { blobs: await openBlobStore(config), limits: { intervalMs: config.intervalMs } };
}

export interface OpenSnapshotsOptions {
  readonly settings: SnapshotSettings;
  readonly namespace: string;
  readonly processor: string;
  readonly topic: string;
  readonly partitions: number;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
  readonly telemetry: SnapshotTelemetry;
}

/** Snapshots of any partition of one processor; a mutex lets one be written at a time. */
export function createOpenSnapshots(
  options: OpenSnapshotsOptions,
): (partition: number, store: PartitionStore) => PartitionSnapshots {
  const { settings, namespace, processor, topic, partitions, clock, random, telemetry } = options;
  const limits: SnapshotLimits = { ...DEFAULT_SNAPSHOT_LIMITS, ...settings.limits };
  const slot = new Mutex();
  return (partition, store) => {
    const subject = { namespace, processor, topic, partition, partitions };
    const archive = new SnapshotArchive({ blobs: settings.blobs, subject, limits, clock, random });
    const readReach = () => readLogReach(options, partition);
    return new PartitionSnapshots({ store, archive, limits, clock, telemetry, slot, readReach });
  };
}

async function readLogReach({ log, namespace, processor, topic }: OpenSnapshotsOptions, partition: number) {
  const offsets = (await log.offsets(topic)).get(partition);
  if (offsets === undefined) throw new AppError('not_found', `${topic} has no partition ${partition}`);
  const committed = (await log.groupOffsets(toConsumerGroup(namespace, processor), topic)).get(partition);
  const reach: LogReach = { low: offsets.low, high: offsets.high, committed };
  return reach;
}
