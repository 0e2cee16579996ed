import type { Logger, Metrics } from '@perennial/telemetry';
import type { IgnoredField } from './domain/ignored-field.js';

/** Sources that have a label of their own in an instance's metrics; events of others count as `other`. */
const SOURCE_LABELS_MAX = 100;

/** Reports of what ingest could not use of accepted events. */
export function createIgnoredReports(logger: Logger, metrics: Metrics) {
  const toSourceLabel = createSourceLabels();
  const values = metrics.counter(
    'ingest_values_ignored_total',
    'Fields of accepted events whose value could not be used: placeholder ids, ids of other kinds, time zones, implausible sentAt.',
    ['transport', 'field', 'source'],
  );
  return {
    ignored(
      { transport, sourceId }: { readonly transport: 'http' | 'kafka'; readonly sourceId: string },
      fields: readonly IgnoredField[],
    ): void {
      for (const field of fields) values.inc({ transport, field, source: toSourceLabel(sourceId) });
    },
    identityUnknown(error: unknown): void {
      logger.warn({ error }, 'rules about ids could not be read, the last known stay in effect');
    },
    placeholdersUnknown(error: unknown): void {
      logger.warn({ error }, 'placeholder ids could not be read, the last known stay in effect');
    },
  };
}

/** Operators make the sources, but nothing bounds their number: the first ones that need a label get one. */
export function createSourceLabels(): (sourceId: string) => string {
  const known = new Set<string>();
  return (sourceId) => {
    if (known.size < SOURCE_LABELS_MAX) known.add(sourceId);
    return known.has(sourceId) ? sourceId : 'other';
  };
}
