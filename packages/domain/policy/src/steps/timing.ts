import { PENDING_MAX } from '../history.js';
import type { Strategy } from '../policy.js';
import { toQuietEndMs } from '../quiet-hours.js';
import type { DropReason } from '../reasons.js';
import { type StepContext, toTimeZone } from './step.js';

/** When the action is due: now (absent), or at the end of quiet hours; dropped where that is too late. */
export type Timing = { readonly dueAtMs: number | undefined } | { readonly reason: DropReason };

export function timing(context: StepContext, strategy: Strategy, expiresAtMs: number): Timing {
  const dueAtMs = toStrategyQuietEndMs(context, strategy);
  if (dueAtMs === undefined) return { dueAtMs };
  if (dueAtMs >= expiresAtMs) return { reason: 'quiet_hours_outlast_expiry' };
  return context.history.pending.length >= PENDING_MAX ? { reason: 'pending_full' } : { dueAtMs };
}

function toStrategyQuietEndMs({ policy, profile }: StepContext, strategy: Strategy): number | undefined {
  if (policy.quietHours === undefined) return undefined;
  if (policy.channels.get(strategy.channel)?.ignoresQuietHours === true) return undefined;
  return toQuietEndMs(policy.quietHours, toTimeZone(policy, profile), profile.nowMs);
}
