import { type Clock, every, type Interval, systemClock } from '@perennial/kernel';
import type { Logger, Metrics } from '@perennial/telemetry';

const SEGMENT_METRICS_LIMITS = {
  /** How often members are counted: that reads a table. */
  intervalMs: 60_000,
  /** Segments with a label of their own: several files may have been in force. Further ones are `other`. */
  labelsMax: 512,
} as const;

const OTHER = 'other';

export type SegmentTelemetry = ReturnType<typeof createSegmentTelemetry>;

/** Members, entries and exits of each segment: metric and log together. */
export function createSegmentTelemetry(logger: Logger, metrics: Metrics) {
  const members = metrics.gauge(
    'segment_members',
    'Profiles in each segment, as PostgreSQL has them; every process of scoring says the same.',
    ['segment'],
  );
  const changes = metrics.counter('segment_changes_stored_total', 'Entries and exits written to PostgreSQL.', [
    'segment',
    'change',
  ]);
  const failures = metrics.counter('segment_counts_failed_total', 'Failed attempts to count the members of segments.');
  const known = new Set<string>();
  const toLabel = (segment: string): string => {
    if (known.size < SEGMENT_METRICS_LIMITS.labelsMax) known.add(segment);
    return known.has(segment) ? segment : OTHER;
  };
  return {
    changesStored(stored: ReadonlyArray<{ segment: string; change: string; count: number }>): void {
      for (const { segment, change, count } of stored) changes.inc({ segment: toLabel(segment), change }, count);
    },
    membersCounted(counts: Readonly<Record<string, number>>): void {
      const sums = new Map<string, number>();
      for (const [segment, count] of Object.entries(counts)) {
        const label = toLabel(segment);
        sums.set(label, (sums.get(label) ?? 0) + count);
      }
      members.reset();
      for (const [segment, count] of sums) members.set({ segment }, count);
    },
    countFailed(error: unknown): void {
      failures.inc();
      logger.warn({ error }, 'members of segments not counted');
    },
  };
}

/** Counts members at intervals until it is stopped. */
export function startMemberCount({
  segments,
  telemetry,
  clock = systemClock,
}: {
  readonly segments: { countMembers(): Promise<Readonly<Record<string, number>>> };
  readonly telemetry: SegmentTelemetry;
  readonly clock?: Clock;
}): Interval {
  const { intervalMs } = SEGMENT_METRICS_LIMITS;
  return every({ intervalMs, clock, immediately: true, onError: telemetry.countFailed }, async () =>
    telemetry.membersCounted(await segments.countMembers()),
  );
}
