import type { Assignment } from '@perennial/experiments';
import { toProfileValues, type VariableSet } from '@perennial/expressions';
import type { Drop, Profile } from '../decision.js';
import type { CauseEvent, ContactHistory } from '../history.js';
import type { Policy, Strategy } from '../policy.js';
import type { DropReason } from '../reasons.js';
import { isTimeZone } from '../time-zone.js';

const DAY_MS = 86_400_000;

/** What led to the decision: one cause gives at most one action. */
interface Cause {
  readonly causeId: string;
  readonly event: CauseEvent | undefined;
  /** Present when it moved the profile into its stage. */
  readonly transition: { readonly from: string } | undefined;
  readonly causedAtMs: number;
}

/** What every step may read. */
export interface StepContext {
  readonly policy: Policy;
  readonly profile: Profile;
  readonly cause: Cause;
  readonly history: ContactHistory;
  /** What conditions read, in the order of the policy's variables; made once, when a step first asks. */
  readonly values: () => ReturnType<typeof toProfileValues>;
}

/** Strategies that are still open after a step, and what it dropped. */
export interface Selection {
  readonly open: readonly Strategy[];
  readonly drops: readonly Drop[];
  /** By experiment; absent for none. */
  readonly assignments?: ReadonlyMap<string, Assignment>;
}

/** A step of a decision: pure. It may only take strategies away, and says why. */
export type Step = (context: StepContext, open: readonly Strategy[]) => Selection;

/** Written out, without a spread: it runs for every score. */
export function createContext({ policy, profile, cause, history }: Omit<StepContext, 'values'>): StepContext {
  let values: ReturnType<StepContext['values']> | undefined;
  const toOnce = () => {
    values ??= toValues(policy.variables, profile, cause.event);
    return values;
  };
  return { policy, profile, cause, history, values: toOnce };
}

/** Drops each strategy for which there is a reason. */
export function dropWhere(
  open: readonly Strategy[],
  findReason: (strategy: Strategy) => DropReason | undefined,
): Selection {
  const kept: Strategy[] = [];
  const drops: Drop[] = [];
  for (const strategy of open) {
    const reason = findReason(strategy);
    if (reason === undefined) kept.push(strategy);
    else drops.push({ strategy: strategy.name, reason });
  }
  return { open: kept, drops };
}

function toValues(variables: VariableSet, profile: Profile, event: CauseEvent | undefined) {
  const facts = {
    features: profile.features,
    attributes: profile.attributes,
    scores: profile.scores,
    segments: profile.segments,
    stage: profile.stage,
    daysInStage: (profile.nowMs - profile.stageSinceMs) / DAY_MS,
    daysSinceEvent: (profile.nowMs - profile.lastEventAtMs) / DAY_MS,
    event,
  };
  return toProfileValues(facts, variables);
}

/** The user's own zone, if it is one. */
export function toTimeZone(policy: Policy, profile: Profile): string {
  return isTimeZone(profile.timeZone) ? profile.timeZone : policy.timeZone;
}
