/** Which orders a profile can take back by itself. */
export interface CorrectionRules {
  /** Newest orders and refunds whose content is kept. */
  readonly keep: number;
  /** Names of the track events that cancel the order whose id they have. */
  readonly cancelled: readonly string[];
}

/** Maximum of `keep`: it bounds a state. */
export const KEPT_ORDERS_MAX = 64;
