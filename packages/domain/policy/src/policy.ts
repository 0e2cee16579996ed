import type { Condition, VariableSet } from '@perennial/expressions';
import type { QuietHours } from './quiet-hours.js';

/** Which profiles get which action when, and which get none. */
export interface Policy {
  readonly name: string;
  /** For users whose own time zone is unknown. */
  readonly timeZone: string;
  readonly quietHours: QuietHours | undefined;
  /** Salt of the holdouts' hashes: another salt selects other profiles. */
  readonly salt: string;
  /** Share of all profiles that get no action at all. */
  readonly holdoutShare: number;
  /** Over all channels together. */
  readonly caps: readonly Cap[];
  /** The longest window of any cap: older contacts are dropped. */
  readonly contactWindowMs: number;
  readonly channels: ReadonlyMap<string, Channel>;
  /** Choice among several strategies: the highest priority (then the first in the file), or drawn by weight. */
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
  /** `stage_entered`: only the record that moved the profile into the stage; `scored`: every score while in it. */
  readonly on: 'stage_entered' | 'scored';
  readonly channel: string;
  readonly template: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** In the policy's currency, for reports. */
  readonly cost: number;
  readonly cooldownMs: number;
  readonly when: Condition | undefined;
  /** How long after its cause the action is still useful. */
  readonly expiryMs: number;
  readonly priority: number;
  readonly weight: number;
  /** Share of profiles that do not get this strategy. */
  readonly holdoutShare: number;
}
