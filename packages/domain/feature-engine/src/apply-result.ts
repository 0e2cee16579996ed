import type { FailedCondition } from './conditions.js';
import type { Contribution } from './corrections/corrections.js';
import type { EngineState } from './state.js';

/** Result of folding one event. */
export interface ApplyResult {
  readonly state: EngineState;
  /** False for a repeat: then `state` is the object passed in. */
  readonly applied: boolean;
  /**
   * What was known before: the message id, the order under another message id, or the order without its amount, which
   * alone was added then.
   */
  readonly known?: 'message' | 'order' | 'order_without_amount';
  /** True when the event is older than every window reaches: only features of the whole life count it. */
  readonly isTooLate?: boolean;
  /** What became of the order that the event cancels, or of which it is a newer version. */
  readonly correction?: CorrectionResult;
  /** What that order had added, which this state no longer has; absent for nothing. */
  readonly takenBack?: readonly Contribution[];
  /** Conditions of filters that threw, so that the event did not pass them: a defect. Absent for none. */
  readonly failed?: readonly FailedCondition[];
}

/** What became of an event, or an order, that was to be taken back. */
export interface CorrectionResult {
  /**
   * `early`: it has not come, and will not count. `not_kept`: it counts still, its content being forgotten. `repeated`: it was
   * taken back before.
   */
  readonly result: 'taken_back' | 'early' | 'not_kept' | 'repeated';
  /** Names of the features that still have it, in the order of the spec. */
  readonly cannot: readonly string[];
}
