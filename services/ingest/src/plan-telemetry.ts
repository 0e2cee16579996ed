import type { Logger, Metrics } from '@perennial/telemetry';
import type { PlanViolation } from '@perennial/tracking-plan';
import type { LeftOutReason } from '@perennial/traits';
import { createSourceLabels } from './ignored-telemetry.js';
import type { ReceiveResult } from './receive.js';

/** Where events came from. */
export interface PlannedOrigin {
  readonly transport: 'http' | 'kafka';
  readonly sourceId: string;
}

/** What plans said of some events. */
export interface PlannedEvents {
  readonly accepted: readonly PlanViolation[];
  readonly rejected: readonly PlanViolation[];
  /** Personal fields that were taken out. */
  readonly withheld: number;
  /** Traits of the accepted ones that were not read. */
  readonly leftOut: readonly LeftOutReason[];
}

/** What plans said of the events of a request. */
export function toPlanned({ violations, withheld, leftOut, rejections }: ReceiveResult): PlannedEvents {
  const rejected = rejections.flatMap(({ rejection }) => rejection.violations);
  return { accepted: violations, rejected, withheld, leftOut };
}

/** Reports of what the tracking plans of the sources do. */
export function createPlanReports(logger: Logger, metrics: Metrics) {
  const toSourceLabel = createSourceLabels();
  const violations = metrics.counter(
    'ingest_plan_violations_total',
    "What the tracking plans of sources do not allow in events; 8 an event at most. `result` is the event's.",
    ['transport', 'source', 'reason', 'result'],
  );
  const withheld = metrics.counter(
    'ingest_personal_fields_withheld_total',
    'Personal fields of accepted events that went no further than ingest.',
    ['transport', 'source'],
  );
  const leftOut = metrics.counter(
    'ingest_traits_left_out_total',
    'Traits of accepted events that are not kept for profiles: not declared as not personal, or beyond a limit.',
    ['transport', 'source', 'reason'],
  );
  return {
    planned({ transport, sourceId }: PlannedOrigin, result: PlannedEvents): void {
      if (result.accepted.length + result.rejected.length + result.leftOut.length + result.withheld === 0) return;
      const source = toSourceLabel(sourceId);
      if (result.withheld > 0) withheld.inc({ transport, source }, result.withheld);
      for (const reason of result.leftOut) leftOut.inc({ transport, source, reason });
      for (const { reason } of result.accepted) violations.inc({ transport, source, reason, result: 'accepted' });
      for (const { reason } of result.rejected) violations.inc({ transport, source, reason, result: 'rejected' });
    },
    plansUnknown(error: unknown): void {
      logger.warn({ error }, 'tracking plans could not be read, the last known stay in effect');
    },
  };
}
