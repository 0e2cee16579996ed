import type { Metrics } from '@perennial/telemetry';

export type TagTelemetry = ReturnType<typeof createTagTelemetry>;

/** Changes of tags as they are taken. */
export function createTagTelemetry(metrics: Metrics) {
  const changes = metrics.counter(
    'tags_changes_total',
    'Changes of tags that profiles took; unchanged: it had the tag already, or did not have it; dropped: it has too many.',
    ['kind', 'result'],
  );
  return {
    taken(kind: 'manual' | 'imported', result: 'given' | 'taken' | 'unchanged' | 'dropped'): void {
      changes.inc({ kind, result });
    },
  };
}
