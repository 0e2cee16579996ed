import type { Condition, VariableSet } from '@perennial/expressions';
import type { QuietHours } from './quiet-hours.js';

/** Who gets which action when, and who gets none. */
export interface Policy {
  readonly name: string;
  /** For users whose own zone is not known. */
  readonly timeZone: string;
  readonly quietHours: QuietHours | undefined;
  /** Salt of the holdouts' hashes: another salt draws other profiles. */
  readonly salt: string;
  /** Share of all profiles that get no action at all. */
  readonly holdoutShare: number;
  /** Over all channels together. */
  readonly caps: readonly Cap[];
  /** The longest window of any cap: contacts older than that are forgotten. */
  readonly contactWindowMs: number;
  readonly channels: ReadonlyMap<string, Channel>;
  /** Among several strategies: the highest priority (then the first in the file), or drawn by weight. */
  readonly choice: 'priority' | 'weighted';
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** Strategies by stage, in order of the file. */
  readonly byStage: ReadonlyMap<string, readonly Strategy[]>;
  readonly variables: VariableSet;
}

/** At most `max` contacts in any `windowMs`. */
export interface Cap {
  readonly max: number;
  readonly windowMs: number;
}

export interface Channel {
  readonly name: string;
  readonly caps: readonly Cap[];
  readonly ignoresQuietHours: boolean;
}

export interface Strategy {
  readonly name: string;
  readonly description: string;
  readonly stages: ReadonlySet<string>;
  /** `stage_entered`: only by the record that moved the profile into the stage; `scored`: by every score in it. */
  readonly on: 'stage_entered' | 'scored';
  readonly channel: string;
  readonly template: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** In the policy's currency, for reports. */
  readonly cost: number;
  readonly cooldownMs: number;
  readonly when: Condition | undefined;
  /** How long after its cause the action is still worth taking. */
  readonly expiryMs: number;
  readonly priority: number;
  readonly weight: number;
  /** Share of profiles that do not get this strategy. */
  readonly holdoutShare: number;
}
