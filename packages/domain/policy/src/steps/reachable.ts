import { type ContactHistory, countContacts, findEventAtMs } from '../history.js';
import { findBlock } from '../permissions/permissions.js';
import type { Permission, ReplyWindow, Strategy } from '../policy.js';
import type { DropReason } from '../reasons.js';
import { toLocalDay } from '../time-zone.js';
import { dropByChannel, type Step, type StepContext, toTimeZone } from './step.js';

const DAY_MS = 86_400_000;

/** Those whose channel may be used now: the person allows it, and it has a grant, an open reply window, something left of the day. */
export const reachable: Step = (context, open) =>
  dropByChannel(open, (strategy) => {
    const { permissions } = context.profile;
    const block = permissions && findBlock(permissions, strategy);
    if (block !== undefined) return block;
    const permission = context.policy.channels.get(strategy.channel)?.permission;
    return permission && findReason(context, strategy, permission);
  });

function findReason(
  context: StepContext,
  { channel }: Strategy,
  { grantedBy, reply, perDay }: Permission,
): DropReason | undefined {
  const { history, profile } = context;
  if (grantedBy !== undefined && !hasGrant(history, channel)) return 'no_grant';
  if (reply !== undefined) {
    const openedAtMs = findOpening(history, reply);
    if (openedAtMs === undefined || profile.nowMs >= openedAtMs + reply.windowMs) return 'reply_window_closed';
    // A contact at the instant of the opening answers it: it counts.
    const spent = countContacts(history, openedAtMs - 1, { channel });
    if (reply.max !== undefined && spent >= reply.max) return 'reply_window_spent';
  }
  return perDay !== undefined && countOfDay(context, channel) >= perDay ? 'day_spent' : undefined;
}

function hasGrant({ signals }: ContactHistory, channel: string): boolean {
  return signals !== undefined && Object.hasOwn(signals.grants, channel) && (signals.grants[channel] ?? 0) > 0;
}

function findOpening(history: ContactHistory, { openedBy }: ReplyWindow): number | undefined {
  const times = openedBy.map((name) => findEventAtMs(history, name) ?? Number.NEGATIVE_INFINITY);
  const lastAtMs = Math.max(...times);
  return lastAtMs === Number.NEGATIVE_INFINITY ? undefined : lastAtMs;
}

/** Contacts on the channel in the day that it is now for the user. */
function countOfDay({ policy, profile, history }: StepContext, channel: string): number {
  const timeZone = toTimeZone(policy, profile);
  const today = toLocalDay(timeZone, profile.nowMs);
  return history.contacts.filter(
    (contact) =>
      contact.channel === channel &&
      contact.atMs > profile.nowMs - 2 * DAY_MS &&
      toLocalDay(timeZone, contact.atMs) === today,
  ).length;
}
