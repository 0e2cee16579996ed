import { CONTACTS_MAX, isCapReached } from '../history.js';
import type { Strategy } from '../policy.js';
import type { DropReason } from '../reasons.js';
import { dropWhere, type Step, type StepContext } from './step.js';

/** Those that neither wait already nor would be one contact too many. */
export const suppressed: Step = (context, open) => dropWhere(open, (strategy) => findReason(context, strategy));

function findReason({ policy, profile, history }: StepContext, strategy: Strategy): DropReason | undefined {
  const { nowMs } = profile;
  if (history.pending.some((pending) => pending.strategy === strategy.name)) return 'already_pending';
  const lastUsedAtMs = Object.hasOwn(history.lastUsedAtMs, strategy.name)
    ? history.lastUsedAtMs[strategy.name]
    : undefined;
  if (lastUsedAtMs !== undefined && nowMs < lastUsedAtMs + strategy.cooldownMs) return 'cooldown';
  const { channel } = strategy;
  const channelCaps = policy.channels.get(channel)?.caps ?? [];
  if (channelCaps.some((cap) => isCapReached(history, cap, { nowMs, channel }))) return 'channel_cap';
  // The last cap keeps the history complete: a contact that a cap still counts is never evicted.
  const overallCaps = [...policy.caps, { max: CONTACTS_MAX, windowMs: policy.contactWindowMs }];
  if (overallCaps.some((cap) => isCapReached(history, cap, { nowMs, channel: undefined }))) return 'overall_cap';
  return undefined;
}
