import type { Metrics } from '@perennial/telemetry';

/** One function for each thing worth reporting; none of them throws. A batch that is retried counts again. */
export type AccountTelemetry = ReturnType<typeof createAccountTelemetry>;

export function createAccountTelemetry(metrics: Metrics) {
  const events = metrics.counter('accounts_events_folded_total', 'Events of members folded into their account.');
  const members = metrics.counter('accounts_members_total', 'Profiles that an account took in as a member.');
  const cutOff = metrics.counter(
    'accounts_members_cut_off_total',
    'Events of profiles that their account does not report to, having too many members.',
  );
  const reported = metrics.counter(
    'accounts_reports_total',
    'Records by which accounts report to members what they have.',
  );

  return {
    folded(): void {
      events.inc();
    },
    tookIn({ isCutOff }: { readonly isCutOff: boolean }): void {
      (isCutOff ? cutOff : members).inc();
    },
    reported(records: number): void {
      if (records > 0) reported.inc(records);
    },
  };
}
