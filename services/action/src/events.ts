import type { ActionDecision, DecisionStatus, Suppression } from '@perennial/policy';
import type { Metrics } from '@perennial/telemetry';

/** Why a record led to no action though nothing was decided against it. */
export type IdleReason = 'no_policy' | 'no_stage';

export interface ActionTotals {
  readonly results: Readonly<Record<string, number>>;
  readonly suppressed: Readonly<Record<string, number>>;
}

/**
 * One function for each thing worth telling; none of them throws. Counted in the step, before its commit: a batch that is
 * tried again after a failure counts again.
 */
export interface ActionEvents {
  decided(result: {
    status: DecisionStatus;
    decisions: readonly ActionDecision[];
    suppressed: readonly Suppression[];
  }): void;
  idle(reason: IdleReason): void;
  /** Since this process began. */
  totals(): ActionTotals;
}

export function createEvents(metrics: Metrics): ActionEvents {
  const decided = metrics.counter('action_decisions_total', 'Actions decided.', ['strategy', 'channel']);
  const results = createTally(
    metrics.counter('action_decision_results_total', 'What came of a score or of waiting actions.', ['result']),
    'result',
  );
  const suppressed = createTally(
    metrics.counter('action_suppressed_total', 'Strategies considered that led to no action, by reason.', ['reason']),
    'reason',
  );
  return {
    decided(result) {
      results.add(result.status);
      for (const { reason } of result.suppressed) suppressed.add(reason);
      for (const { strategy, channel } of result.decisions) decided.inc({ strategy, channel });
    },
    idle: (reason) => results.add(reason),
    totals: () => ({ results: results.totals(), suppressed: suppressed.totals() }),
  };
}

/** Counts under one label of a closed set; the children are kept, since this runs for every record. */
function createTally(counter: ReturnType<Metrics['counter']>, label: string) {
  const children = new Map<string, { inc(): void }>();
  const totals: Record<string, number> = {};
  return {
    add(value: string): void {
      let child = children.get(value);
      if (child === undefined) {
        child = counter.labels({ [label]: value });
        children.set(value, child);
      }
      child.inc();
      totals[value] = (totals[value] ?? 0) + 1;
    },
    totals: (): Record<string, number> => ({ ...totals }),
  };
}
