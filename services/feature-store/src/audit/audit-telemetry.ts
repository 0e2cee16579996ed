import type { AuditMismatch } from '@perennial/contracts';
import { toMessage } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';

/** Mismatches of one page that are logged; all are counted. */
const LOGGED_MAX = 20;

/** One function for each thing worth reporting of the running audit; none of them throws. */
export type AuditTelemetry = ReturnType<typeof createAuditTelemetry>;

export function createAuditTelemetry(logger: Logger, metrics: Metrics) {
  const mismatches = metrics.counter(
    'feature_skew_mismatches_total',
    'Values served that differ from what the archive gives at the same position. Anything but 0 is a defect.',
  );
  const profiles = metrics.counter('feature_audit_profiles_total', 'Profiles compared with the archive.');
  const passes = metrics.counter(
    'feature_audit_passes_total',
    'Times that all profiles of a partition were compared with the archive.',
  );
  const failures = metrics.counter('feature_audit_failures_total', 'Attempts of the audit that failed.');
  const lastSuccess = metrics.gauge(
    'feature_audit_last_success_timestamp_seconds',
    'When profiles were last compared; absent where another process of the namespace does it.',
    ['job'],
  );
  const waiting = metrics.gauge(
    'feature_audit_waiting_seconds',
    'How long the oldest profiles that were read wait for the archive to reach their position.',
  );
  // From the start: an alert on an increase must see the first one.
  mismatches.inc(0);

  return {
    /** What an earlier process had done. */
    resumed(lastSuccessAt: string | null, nowMs: number): void {
      const atMs = lastSuccessAt === null ? nowMs : Date.parse(lastSuccessAt);
      lastSuccess.set({ job: 'audit' }, atMs / 1_000);
    },
    compared(page: {
      readonly profiles: number;
      readonly mismatches: readonly AuditMismatch[];
      readonly isPassDone: boolean;
      readonly atMs: number;
    }): void {
      profiles.inc(page.profiles);
      mismatches.inc(page.mismatches.length);
      if (page.isPassDone) passes.inc();
      lastSuccess.set({ job: 'audit' }, page.atMs / 1_000);
      for (const found of page.mismatches.slice(0, LOGGED_MAX))
        logger.error({ ...found }, 'served feature differs from the archive');
    },
    waits: (ms: number): void => waiting.set(ms / 1_000),
    unreadable: (error: unknown): void =>
      logger.debug({ reason: toMessage(error) }, 'a partition cannot be audited now'),
    failed(error: unknown): void {
      failures.inc();
      logger.error({ reason: toMessage(error) }, 'audit of features failed, trying again');
    },
    /** Another process audits. */
    idle(): void {
      lastSuccess.reset();
      waiting.set(0);
    },
  };
}
