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

/**
 * The same for reasons that a channel gives: of a strategy with options each channel is asked by itself. It stays with the options
 * that are left, and is dropped, for the reason of its first one, when none is.
 */
export function dropByChannel(
  open: readonly Strategy[],
  findReason: (strategy: Strategy) => DropReason | undefined,
): Selection {
  // Most policies have no options, and this runs for every score.
  if (open.every(({ options }) => options === undefined)) return dropWhere(open, findReason);
  const left = new Map(open.map((strategy) => [strategy, withoutClosed(strategy, findReason)]));
  const { drops } = dropWhere(open, (strategy) => {
    const narrowed = left.get(strategy);
    return typeof narrowed === 'string' ? narrowed : undefined;
  });
  return { open: [...left.values()].filter((narrowed) => typeof narrowed !== 'string'), drops };
}

/** The strategy with the options that are left, or the reason why none is. */
function withoutClosed(
  strategy: Strategy,
  findReason: (strategy: Strategy) => DropReason | undefined,
): Strategy | DropReason {
  const { options } = strategy;
  if (options === undefined) return findReason(strategy) ?? strategy;
  const reasons = new Map<string, DropReason | undefined>();
  for (const { channel } of options.open) {
    if (!reasons.has(channel)) reasons.set(channel, findReason({ ...strategy, channel }));
  }
  const open = options.open.filter(({ channel }) => reasons.get(channel) === undefined);
  if (open.length === options.open.length) return strategy;
  const [reason] = reasons.values();
  return open.length === 0 && reason !== undefined ? reason : { ...strategy, options: { ...options, open } };
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
