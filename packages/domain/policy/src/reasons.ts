/** The steps of a decision in their order, each with the reasons for which it drops a strategy: closed sets. */
const REASONS = {
  candidates: [
    'no_strategy',
    'other_stage',
    'not_entered',
    'strategy_removed',
    'expired',
    'stage_left',
    'option_removed',
  ],
  eligible: ['condition_false', 'other_language'],
  reachable: [
    'no_consent',
    'withdrawn',
    'not_confirmed',
    'complained',
    'bounced',
    'no_grant',
    'reply_window_closed',
    'reply_window_spent',
    'day_spent',
  ],
  suppressed: [
    'already_pending',
    'do_not_disturb',
    'cooldown',
    'strategy_cap',
    'category_cap',
    'channel_cap',
    'overall_cap',
  ],
  arm: ['global_holdout', 'strategy_holdout', 'experiment_arm'],
  choice: ['outranked'],
  timing: ['quiet_hours_outlast_expiry', 'pending_full'],
} as const;

export type StepName = keyof typeof REASONS;
export type DropReason = (typeof REASONS)[StepName][number];

/** The step that gives a reason. */
export const STEP_OF_REASON: Readonly<Record<DropReason, StepName>> = Object.fromEntries(
  Object.entries(REASONS).flatMap(([step, reasons]) => reasons.map((reason) => [reason, step])),
) as Record<DropReason, StepName>;

/** In their order. */
export const STEP_NAMES = Object.keys(REASONS) as readonly StepName[];
