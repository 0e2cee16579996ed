import type { Arm, Experiment } from '@perennial/experiments';
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
  /** By category of strategies: caps over all strategies of it. */
  readonly categories: ReadonlyMap<string, Category>;
  readonly doNotDisturb: readonly DoNotDisturb[];
  /** The longest window in which contacts are counted: older contacts are dropped. */
  readonly contactWindowMs: number;
  /** What is to be kept of events, by their name. */
  readonly watched: ReadonlyMap<string, Watched>;
  readonly channels: ReadonlyMap<string, Channel>;
  /** Choice among several strategies: the highest priority (then the first in the file), or drawn by weight. */
  readonly choice: 'priority' | 'weighted';
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** Strategies by stage, in order of the file. */
  readonly byStage: ReadonlyMap<string, readonly Strategy[]>;
  /** The experiment that decides about a strategy, by the strategy's name. */
  readonly experimentOf: ReadonlyMap<string, PolicyExperiment>;
  readonly variables: VariableSet;
  /** Where values have the user's language; undefined where no strategy asks for it. */
  readonly languageSlot: number | undefined;
}

/** An experiment about strategies: an arm is what of them it allows. */
export interface PolicyExperiment extends Experiment {
  readonly arms: readonly PolicyArm[];
  /** The arm that the others are compared with. */
  readonly control: string;
}

interface PolicyArm extends Arm {
  /** Those of its experiment that it allows; none in a holdout. */
  readonly strategies: ReadonlySet<string>;
}

/** At most `max` contacts in any `windowMs`. */
export interface Cap {
  readonly max: number;
  readonly windowMs: number;
}

interface Category {
  readonly caps: readonly Cap[];
}

/** No contact for `forMs` after an event, or until another one. */
export interface DoNotDisturb {
  readonly after: string;
  readonly until: string | undefined;
  readonly forMs: number;
  /** The categories that it keeps from acting; undefined for every strategy. */
  readonly categories: ReadonlySet<string> | undefined;
}

export interface Channel {
  readonly name: string;
  readonly caps: readonly Cap[];
  readonly ignoresQuietHours: boolean;
  readonly permission: Permission;
}

/** What the channel allows to send, each part spent by contacts; undefined where it has no such rule. */
export interface Permission {
  /** Each of these events is a grant for one contact. */
  readonly grantedBy: readonly string[] | undefined;
  readonly reply: ReplyWindow | undefined;
  /** Contacts in a day of the user's own zone. */
  readonly perDay: number | undefined;
}

/** Contacts are allowed for a time after the last of these events. */
export interface ReplyWindow {
  readonly openedBy: readonly string[];
  readonly windowMs: number;
  /** Contacts in one window; undefined for any number. */
  readonly max: number | undefined;
}

/** What an event leaves behind in the history. */
export interface Watched {
  /** How long its time is kept; 0 when only grants count. */
  readonly keepMs: number;
  /** The channels that it grants one contact on. */
  readonly grants: readonly string[];
}

/** One of the options of a strategy: one value of each dimension. */
export interface StrategyOption {
  /** `channel=email,offer=ten`: the dimensions in the order of the file. */
  readonly name: string;
  readonly channel: string;
  /** Those of the strategy and of all its values. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Of the strategy and of all its values together. */
  readonly cost: number;
}

/** A value of a dimension, such as `ten` of `offer`. */
export interface DimensionValue {
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly cost: number;
}

export interface StrategyOptions {
  /** Which of those that are open: the first, or one drawn by a hash of the action's id, each as likely as the others. */
  readonly choice: 'fixed' | 'random';
  readonly dimensions: ReadonlyMap<string, ReadonlyMap<string, DimensionValue>>;
  /** The product of the dimensions, the last one changing first; within a decision those of them that are still open. */
  readonly open: readonly StrategyOption[];
}

export interface Strategy {
  readonly name: string;
  readonly description: string;
  readonly stages: ReadonlySet<string>;
  /** `stage_entered`: only the record that moved the profile into the stage; `scored`: every score while in it. */
  readonly on: 'stage_entered' | 'scored';
  /** With options that have a channel each, that of the first. */
  readonly channel: string;
  /** Undefined where there is only one way to do it. */
  readonly options: StrategyOptions | undefined;
  readonly category: string | undefined;
  readonly caps: readonly Cap[];
  /** What the contact is about, for those who choose topics. */
  readonly topic: string | undefined;
  /** The purpose of data use that it falls under. */
  readonly purpose: string | undefined;
  /** Of the users whose trait `language` or `locale` begins with one of these; undefined for all. */
  readonly languages: ReadonlySet<string> | undefined;
  readonly template: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** In the policy's currency, for reports. */
  readonly cost: number;
  /** Expected of one action, in the same currency, for reports. */
  readonly benefit: number;
  readonly cooldownMs: number;
  readonly when: Condition | undefined;
  /** How long after its cause the action is still useful. */
  readonly expiryMs: number;
  readonly priority: number;
  readonly weight: number;
  /** Share of profiles that do not get this strategy. */
  readonly holdoutShare: number;
}
