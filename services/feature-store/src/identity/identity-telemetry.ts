import type { Metrics } from '@perennial/telemetry';

/** One function for each thing worth reporting; none of them throws. A batch that is retried counts again. */
export type IdentityTelemetry = ReturnType<typeof createIdentityTelemetry>;

export function createIdentityTelemetry(metrics: Metrics) {
  const joins = metrics.counter('identity_joins_total', 'Profiles that another one merged into itself.');
  const asked = metrics.counter(
    'identity_asked_total',
    'Profiles that were asked to join another one: they did, were there already, or belong elsewhere.',
    ['result'],
  );
  const forwarded = metrics.counter(
    'identity_forwarded_total',
    'Records that a joined profile forwarded to the one that it has joined.',
    ['kind'],
  );
  const cutOff = metrics.counter(
    'identity_cut_off_total',
    'Ids that a profile did not take in, having too many: one that many share is no person.',
  );

  const unmerges = metrics.counter(
    'identity_unmerges_total',
    'Unmerges of profiles: parted, interrupted (they begin again), failed for good, or of profiles that were not joined.',
    ['result'],
  );

  return {
    parted(result: 'left' | 'interrupted' | 'not_joined' | 'failed'): void {
      unmerges.inc({ result });
    },
    /** An event or a link was used where it came. */
    taken({ cutOff: count }: { readonly cutOff: number }): void {
      if (count > 0) cutOff.inc(count);
    },
    asked(result: 'hand_over' | 'done' | 'elsewhere'): void {
      asked.inc({ result });
    },
    joined({ cutOff: count }: { readonly cutOff: number }): void {
      joins.inc();
      if (count > 0) cutOff.inc(count);
    },
    forwarded(kind: 'event' | 'link' | 'hand_over'): void {
      forwarded.inc({ kind });
    },
  };
}
