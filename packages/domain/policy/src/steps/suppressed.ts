import { CONTACTS_MAX, type ContactHistory, countContacts, findEventAtMs, isCapReached } from '../history.js';
import type { Cap, DoNotDisturb, Strategy } from '../policy.js';
import type { DropReason } from '../reasons.js';
import { dropByChannel, type Step, type StepContext } from './step.js';

const NO_CAPS: readonly Cap[] = [];

/** Those that neither wait already nor would be one contact too many. */
export const suppressed: Step = (context, open) => dropByChannel(open, (strategy) => findReason(context, strategy));

function findReason({ policy, profile, history }: StepContext, strategy: Strategy): DropReason | undefined {
  const { nowMs } = profile;
  if (history.pending.some((pending) => pending.strategy === strategy.name)) return 'already_pending';
  if (policy.doNotDisturb.some((rule) => isDisturbed(rule, { strategy, nowMs, history }))) return 'do_not_disturb';
  const lastUsedAtMs = Object.hasOwn(history.lastUsedAtMs, strategy.name)
    ? history.lastUsedAtMs[strategy.name]
    : undefined;
  if (lastUsedAtMs !== undefined && nowMs < lastUsedAtMs + strategy.cooldownMs) return 'cooldown';
  const { category, channel } = strategy;
  if (isCapReached(history, strategy.caps, nowMs, { strategy: strategy.name })) return 'strategy_cap';
  const categoryCaps = category === undefined ? NO_CAPS : (policy.categories.get(category)?.caps ?? NO_CAPS);
  if (isCapReached(history, categoryCaps, nowMs, { category })) return 'category_cap';
  const channelCaps = policy.channels.get(channel)?.caps ?? NO_CAPS;
  if (isCapReached(history, channelCaps, nowMs, { channel })) return 'channel_cap';
  if (isCapReached(history, policy.caps, nowMs)) return 'overall_cap';
  // Keeps the history complete: a contact that a cap still counts is never evicted.
  return countContacts(history, nowMs - policy.contactWindowMs) >= CONTACTS_MAX ? 'overall_cap' : undefined;
}

function isDisturbed(
  { after, until, forMs, categories }: DoNotDisturb,
  {
    strategy,
    nowMs,
    history,
  }: { readonly strategy: Strategy; readonly nowMs: number; readonly history: ContactHistory },
): boolean {
  if (categories !== undefined && (strategy.category === undefined || !categories.has(strategy.category))) return false;
  const sinceMs = findEventAtMs(history, after);
  if (sinceMs === undefined || nowMs >= sinceMs + forMs) return false;
  const endedAtMs = until === undefined ? undefined : findEventAtMs(history, until);
  return endedAtMs === undefined || endedAtMs < sinceMs;
}
