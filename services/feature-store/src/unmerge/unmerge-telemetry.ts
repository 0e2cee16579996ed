import { toMessage } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';

/** One function for each thing worth reporting of unmerges; none of them throws. */
export type UnmergeTelemetry = ReturnType<typeof createUnmergeTelemetry>;

export function createUnmergeTelemetry(logger: Logger, metrics: Metrics) {
  const age = metrics.gauge(
    'identity_unmerge_age_seconds',
    'Time since the unmerge that is under way was asked for, 0 without one.',
  );
  const failures = metrics.counter(
    'identity_unmerge_failures_total',
    'Attempts to rebuild two profiles that failed; it is tried again.',
  );
  const rebuilt = metrics.counter('identity_unmerges_rebuilt_total', 'Pairs of profiles rebuilt from the archive.');

  return {
    aged: (ageMs: number): void => age.set(ageMs / 1_000),
    rebuilt(unmerge: { readonly number: number; readonly attempt: number }): void {
      rebuilt.inc();
      logger.info(unmerge, 'two profiles are rebuilt from the archive, to be parted');
    },
    unblocked: (unmerge: { readonly number: number; readonly steps: readonly string[] }): void =>
      logger.warn(unmerge, 'an unmerge did not begin, and is begun again: look for forged records or dead letters'),
    givenUp(unmerge: { readonly number: number; readonly attempt: number; readonly reason: string | undefined }): void {
      if (unmerge.reason === undefined) logger.info(unmerge, 'an unmerge is ended, the two are not joined');
      else logger.error(unmerge, 'an unmerge is given up, both profiles stay as they are');
    },
    failed(error: unknown): void {
      failures.inc();
      logger.error({ reason: toMessage(error) }, 'an unmerge failed, trying again');
    },
    waiting: (error: unknown): void =>
      logger.debug({ reason: toMessage(error) }, 'it is unknown whether profiles are to be parted'),
    /** None is to be done by this process. */
    idle: (): void => age.set(0),
  };
}
