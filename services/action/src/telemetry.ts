import { OUTCOME_KINDS } from '@perennial/contracts';
import type { OnEvaluationError } from '@perennial/expressions';
import type { ActionDecision, DecisionStatus, Drop } from '@perennial/policy';
import { createLimitedLog, type Logger, type Metrics } from '@perennial/telemetry';
import type { NoticeStep } from './domain/take-notice.js';

/** Limits the log: a defect would otherwise be logged for every record. */
const CONDITION_ERROR_LOG_INTERVAL_MS = 60_000;

/** Why a record led to no action without a decision of the policy. */
type IdleReason = 'no_policy' | 'no_stage' | 'report';

interface ActionTotals {
  readonly results: Readonly<Record<string, number>>;
  readonly suppressed: Readonly<Record<string, number>>;
}

/**
 * One function for each thing worth reporting; none of them throws. Counted in the step, before its commit: a batch
 * that is retried after a failure counts again.
 */
export interface ActionTelemetry {
  decided(result: { status: DecisionStatus; decisions: readonly ActionDecision[]; suppressed: readonly Drop[] }): void;
  idle(reason: IdleReason): void;
  /** What others report was taken. */
  reported(taken: Pick<NoticeStep, 'changes' | 'cancelled' | 'dropped'>): void;
  /** A condition of the policy threw and counts as false. */
  readonly conditionFailed: OnEvaluationError;
  /** A model came into force that lacks heads which the policy reads: they have no value. */
  headsMissing(found: { policy: number; model: number; missing: string }): void;
  /** Segments came into force without some that the policy reads: they have no value. */
  segmentsMissing(found: { policy: number; segments: number; missing: string }): void;
  /** Counts since this process started. */
  totals(): ActionTotals;
}

export function createActionTelemetry(logger: Logger, metrics: Metrics): ActionTelemetry {
  const decided = metrics.counter('action_decisions_total', 'Actions decided.', ['strategy', 'channel']);
  const results = createTally(
    metrics.counter('action_decision_results_total', 'What came of a score or of waiting actions.', ['result']),
    'result',
  );
  const suppressed = createTally(
    metrics.counter('action_suppressed_total', 'Strategies considered that led to no action, by reason.', ['reason']),
    'reason',
  );
  const headsMissing = metrics.counter(
    'action_policy_heads_missing_total',
    'Models that came into force on a partition without a head that the policy reads.',
  );
  const segmentsMissing = metrics.counter(
    'action_policy_segments_missing_total',
    'Segments that came into force on a partition without one that the policy reads.',
  );
  const outcomes = metrics.counter(
    'action_outcomes_total',
    'Outcomes of actions that were reported; known: whether the action is one of the newest of its profile.',
    ['outcome', 'known'],
  );
  const cancelled = metrics.counter('action_cancelled_total', 'Published actions that were stopped, by reason.', [
    'reason',
  ]);
  const conditionErrors = metrics.counter(
    'action_condition_errors_total',
    'Conditions of the policy that threw and were taken as false.',
  );
  const logConditionError = createLimitedLog<Parameters<OnEvaluationError>[0]>(
    ({ source, error }, leftOut) => logger.error({ condition: source, error, leftOut }, 'condition failed'),
    { intervalMs: CONDITION_ERROR_LOG_INTERVAL_MS },
  );
  return {
    headsMissing(found) {
      headsMissing.inc();
      logger.error(found, 'policy reads heads that the model lacks');
    },
    segmentsMissing(found) {
      segmentsMissing.inc();
      logger.error(found, 'policy reads segments that are not there');
    },
    conditionFailed(failure) {
      conditionErrors.inc();
      logConditionError(failure);
    },
    decided(result) {
      results.add(result.status);
      for (const { reason } of result.suppressed) suppressed.add(reason);
      for (const { strategy, channel } of result.decisions) decided.inc({ strategy, channel });
    },
    idle: (reason) => results.add(reason),
    reported({ changes, cancelled: stopped, dropped }) {
      for (const { outcome, isKnown } of changes)
        outcomes.inc({ outcome: toOutcomeLabel(outcome), known: String(isKnown) });
      for (const { reason } of stopped) cancelled.inc({ reason });
      for (const reason of dropped) suppressed.add(reason);
    },
    totals: () => ({ results: results.totals(), suppressed: suppressed.totals() }),
  };
}

const OUTCOMES: ReadonlySet<string> = new Set(OUTCOME_KINDS);

/** A closed set, whatever stands in the log. */
function toOutcomeLabel(outcome: string): string {
  return OUTCOMES.has(outcome) ? outcome : 'other';
}

/** Counts under one label of a closed set; the child counters are cached, since this runs for every record. */
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
