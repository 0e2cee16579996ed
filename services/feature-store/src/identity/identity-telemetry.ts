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
  const conflicts = metrics.counter(
    'identity_conflicts_total',
    'Ids that were not joined by a weaker one, since each belongs to another person by an id of which a person has one.',
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
    taken(taken: { readonly cutOff: number; readonly conflicts: number }): void {
      if (taken.cutOff > 0) cutOff.inc(taken.cutOff);
      if (taken.conflicts > 0) conflicts.inc(taken.conflicts);
    },
    /** A profile was not joined by an id that too many name, or that belongs to another person. */
    rejected(why: 'cut_off' | 'conflict'): void {
      (why === 'cut_off' ? cutOff : conflicts).inc();
    },
    asked(result: 'hand_over' | 'done' | 'elsewhere'): void {
      asked.inc({ result });
    },
    joined({ cutOff: count }: { readonly cutOff: number }): void {
      joins.inc();
      if (count > 0) cutOff.inc(count);
    },
    forwarded(kind: 'event' | 'link' | 'hand_over' | 'retraction' | 'tag'): void {
      forwarded.inc({ kind });
    },
  };
}
