import { toMessage } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';

/** One function for each thing worth reporting of the archive; none of them throws. */
export type ArchiveEvents = ReturnType<typeof createArchiveEvents>;

export function createArchiveEvents(logger: Logger, metrics: Metrics) {
  const files = metrics.counter('archive_files_written_total', 'Files written to the event archive.');
  const bytes = metrics.counter('archive_bytes_written_total', 'Bytes of files written to the event archive.');
  const records = metrics.counter('archive_records_written_total', 'Records written to the event archive.');
  const retries = metrics.counter('archive_retries_total', 'Operations of the event archive tried again.');
  const gaps = metrics.counter('archive_records_lost_total', 'Records that the log lost before they were archived.');
  const age = metrics.gauge(
    'archive_age_seconds',
    'Age of the oldest record taken in that is in no file of the event archive yet, 0 for none.',
    ['partition'],
  );
  const lag = metrics.gauge('archive_lag_records', 'Records in the log that are in no file of the archive yet.', [
    'partition',
  ]);

  return {
    started: (partition: number, next: number): void =>
      logger.info({ partition, next }, 'event archive resumed a partition'),
    written(
      partition: number,
      file: { readonly records: number; readonly bytes: number; readonly next: number },
    ): void {
      files.inc();
      bytes.inc(file.bytes);
      records.inc(file.records);
      logger.debug({ partition, ...file }, 'event archive wrote a file');
    },
    retried(partition: number, error: unknown, waitMs: number): void {
      retries.inc();
      logger.warn(
        { partition, waitMs, reason: toMessage(error) },
        'event archive cannot reach its store or the log, retrying',
      );
    },
    lost(partition: number, lost: { readonly from: number; readonly to: number }): void {
      gaps.inc(lost.to - lost.from + 1);
      logger.error(
        { partition, ...lost },
        'the log lost records before they were archived: no rebuild reaches past them',
      );
    },
    stopped: (partition: number, error: unknown): void =>
      logger.error({ partition, error }, 'event archive stopped a partition'),
    consumerFailed: (error: Error): void =>
      logger.warn({ reason: error.message }, 'event archive consumer failed, retrying'),
    unmeasured: (error: unknown): void =>
      logger.debug({ reason: toMessage(error) }, 'the lag of the event archive is unknown'),
    observed(partition: number, now: { readonly ageMs: number; readonly lag: number }): void {
      age.set({ partition: String(partition) }, now.ageMs / 1000);
      lag.set({ partition: String(partition) }, now.lag);
    },
    released(partition: number): void {
      age.remove({ partition: String(partition) });
      lag.remove({ partition: String(partition) });
    },
  };
}
