import { toMessage } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';

export interface RestoreFigures {
  readonly snapshot: string;
  readonly profilesLoaded: number;
  readonly profilesTotal: number;
  readonly recordsCaughtUp: number;
  readonly recordsTotal: number;
  readonly elapsedMs: number;
}

interface SnapshotFigures {
  readonly snapshot: string;
  readonly kind: 'full' | 'increment';
  readonly profiles: number;
  readonly bytes: number;
  readonly chunks: number;
  readonly records: number;
  readonly elapsedMs: number;
}

/** One function per telemetry event of snapshots and restores: metric and log, never throwing. */
export interface SnapshotTelemetry {
  written(partition: number, figures: SnapshotFigures): void;
  /** The next attempt follows automatically. */
  failed(partition: number, error: unknown): void;
  removed(partition: number, snapshots: number): void;
  /** By the clock of this process; undefined while no snapshot is known. */
  aged(partition: number, ageMs: number | undefined): void;
  restoring(partition: number, figures: RestoreFigures): void;
  restored(partition: number, figures: RestoreFigures): void;
  damaged(partition: number, found: { readonly snapshot: string; readonly error: unknown }): void;
}

/** From seconds to half an hour: a snapshot's writer is idle for most of its duration. */
const LONG_BUCKETS_SECONDS = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800];

export function createSnapshotTelemetry(logger: Logger, metrics: Metrics): SnapshotTelemetry {
  const snapshots = metrics.counter('processor_snapshots_total', 'Snapshots by what became of them', [
    'kind',
    'result',
  ]);
  const duration = metrics.histogram(
    'processor_snapshot_duration_seconds',
    'Time from the beginning of a snapshot to its end, rests included',
    LONG_BUCKETS_SECONDS,
    ['kind'],
  );
  const bytes = metrics.gauge('processor_snapshot_bytes', 'Compressed size of the newest snapshot', [
    'partition',
    'kind',
  ]);
  const age = metrics.gauge('processor_snapshot_age_seconds', 'Age of the newest complete snapshot', ['partition']);
  const restores = metrics.counter('processor_restores_total', 'Partitions restored from a snapshot');
  const restoreTime = metrics.histogram(
    'processor_restore_duration_seconds',
    'Time from the beginning of a restore to its end',
    LONG_BUCKETS_SECONDS,
  );
  const progress = metrics.gauge('processor_restore_progress_ratio', 'Part of a restore that is done', ['partition']);
  const damages = metrics.counter('processor_snapshots_damaged_total', 'Snapshots that a restore could not read');

  return {
    written(partition, figures) {
      const { kind } = figures;
      snapshots.inc({ kind, result: 'written' });
      duration.observe({ kind }, figures.elapsedMs / 1000);
      bytes.set({ partition: String(partition), kind }, figures.bytes);
      logger.info({ partition, ...figures }, 'snapshot written');
    },
    failed(partition, error) {
      snapshots.inc({ kind: 'any', result: 'failed' });
      logger.error({ partition, cause: toMessage(error) }, 'snapshot failed, trying again later');
    },
    removed(partition, count) {
      logger.info({ partition, snapshots: count }, 'old snapshots removed');
    },
    aged(partition, ageMs) {
      const labels = { partition: String(partition) };
      if (ageMs === undefined) age.remove(labels);
      else age.set(labels, ageMs / 1000);
    },
    restoring(partition, figures) {
      progress.set({ partition: String(partition) }, toRatio(figures));
      logger.warn({ partition, ...figures, ...toRates(figures) }, 'restoring the partition from a snapshot');
    },
    restored(partition, figures) {
      progress.remove({ partition: String(partition) });
      restores.inc();
      restoreTime.observe(figures.elapsedMs / 1000);
      logger.warn({ partition, ...figures, ...toRates(figures) }, 'partition restored from a snapshot');
    },
    damaged(partition, { snapshot, error }) {
      damages.inc();
      logger.error({ partition, snapshot, cause: toMessage(error) }, 'snapshot damaged, taking the one before');
    },
  };
}

function toRatio({ profilesLoaded, profilesTotal, recordsCaughtUp, recordsTotal }: RestoreFigures): number {
  const total = profilesTotal + recordsTotal;
  return total === 0 ? 1 : (profilesLoaded + recordsCaughtUp) / total;
}

function toRates({ profilesLoaded, recordsCaughtUp, elapsedMs }: RestoreFigures) {
  const perSecond = (count: number) => Math.round((count * 1000) / Math.max(1, elapsedMs));
  return { profilesPerSecond: perSecond(profilesLoaded), recordsPerSecond: perSecond(recordsCaughtUp) };
}
