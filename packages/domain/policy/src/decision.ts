import type { Assignment } from '@perennial/experiments';
import type { ScoreVector, Value } from '@perennial/expressions';
import type { CauseEvent, ChosenOption, ContactHistory } from './history.js';
import type { Permissions } from './permissions/permissions.js';
import type { DropReason, StepName } from './reasons.js';

/** Why a strategy leads to no action (yet). The reason names the step: `STEP_OF_REASON`. */
export interface Drop {
  readonly strategy: string;
  readonly reason: DropReason;
}

/** What an action is about, by its strategy. */
interface About {
  readonly category?: string;
  readonly topic?: string;
  readonly purpose?: string;
}

/** An action to be published. */
export interface ActionDecision {
  /** Deterministic: a hash of namespace, profile, cause and strategy. */
  readonly actionId: string;
  readonly strategy: string;
  readonly channel: string;
  readonly template: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly cost: number;
  readonly stage: string;
  readonly causeId: string;
  readonly reasons: readonly string[];
  readonly decidedAtMs: number;
  readonly expiresAtMs: number;
  /** What the strategy says of itself; each part, and the whole, absent where it says nothing. */
  readonly about?: About;
  /** Of a strategy with options; channel, parameters and cost are the option's. */
  readonly option?: ChosenOption;
  /** The experiment that the strategy belongs to, and the profile's arm; absent without one. */
  readonly assignment?: Assignment;
}

/** An experiment that had a say: in some arm of it, something would have happened now. Recorded in every arm alike. */
export interface Exposure extends Assignment {
  readonly layer: string;
  readonly causeId: string;
  readonly atMs: number;
}

/** Result for one cause: `no_candidate` when no strategy matches this stage and trigger. */
export type DecisionStatus = 'decided' | 'deferred' | 'suppressed' | 'no_candidate';

/** Why nothing is done: the step that left no strategy, and what it dropped the foremost of them for. */
export interface Nothing {
  readonly step: StepName;
  readonly reason: DropReason;
  /** Absent when there was none to begin with. */
  readonly strategy?: string;
}

export interface DecisionResult {
  readonly status: DecisionStatus;
  readonly decisions: readonly ActionDecision[];
  /** Candidates that led to no action, in the order of the steps. */
  readonly suppressed: readonly Drop[];
  /** Present unless something was decided or deferred. */
  readonly nothing?: Nothing;
  /** Absent for none. */
  readonly exposures?: readonly Exposure[];
  /** The same object as before when nothing changed. */
  readonly history: ContactHistory;
  /** When `releasePending` is due: the end of quiet hours; absent while nothing waits. */
  readonly retryAtMs?: number;
}

/** A profile at the time of a step. */
export interface Profile {
  readonly namespace: string;
  readonly profileKey: string;
  readonly stage: string;
  /** Time of this step; never before that of an earlier step of the same profile. */
  readonly nowMs: number;
  readonly history: ContactHistory | undefined;
  /** The user's own zone; an unknown zone falls back to the policy's. */
  readonly timeZone: string;
  readonly stageSinceMs: number;
  readonly scores?: ScoreVector | undefined;
  /** As of `nowMs`, in the order of the names passed to the policy's parser; NaN or null for no value. */
  readonly features: readonly (number | null)[];
  /** As of `nowMs`, in the order of the attributes passed to the policy's parser. */
  readonly attributes?: readonly Value[] | undefined;
  readonly lastEventAtMs: number;
  /** The segments that it is in; absent while none are in force. */
  readonly segments?: ReadonlySet<string> | undefined;
  /** What the person allows; absent where nobody said anything of it. */
  readonly permissions?: Permissions | undefined;
}

export interface DecisionInputs extends Profile {
  /** Id of the cause, such as `transition:3`: it gives at most one action. */
  readonly causeId: string;
  /** Present when this record moved the profile into `stage`. */
  readonly transition?: { readonly from: string } | undefined;
  readonly event?: CauseEvent | undefined;
}
