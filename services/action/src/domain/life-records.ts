import { type ActionCancelled, type ActionChanged, toCloudEventHeaders } from '@perennial/contracts';
import { type Pseudonymizer, unsealUserId } from '@perennial/privacy';
import type { ActionChange, Cancellation } from './take-notice.js';

export interface Owner {
  readonly profileKey: string;
  readonly subject: Buffer;
}

/** Makes edge records of what came of actions, and of actions that are to be stopped. Their ids are the same each time. */
export function createLifeWriter(namespace: string, pseudonymizer: Pseudonymizer) {
  const source = `/perennial/${namespace}/action`;
  const toRecord = (data: object, { id, type, subject, time }: Record<'id' | 'type' | 'subject' | 'time', string>) => ({
    value: Buffer.from(JSON.stringify(data)),
    headers: toCloudEventHeaders({ id, source, type, subject, time }),
  });
  return {
    changed({ atMs, isKnown, value, ...change }: ActionChange, { profileKey }: Owner) {
      const at = new Date(atMs).toISOString();
      const data: ActionChanged = { ...change, profileKey, at, known: isKnown, value: value ?? null };
      const id = `${profileKey}:${change.messageId}`;
      return toRecord(data, { id, type: 'lifecycle.action.changed.v1', subject: profileKey, time: at });
    },
    cancelled({ life, reason, atMs }: Cancellation, owner: Owner) {
      const { actionId, strategy, channel } = life;
      const cancelledAt = new Date(atMs).toISOString();
      const { profileKey } = owner;
      const userId = unsealUserId(pseudonymizer, owner);
      const data: ActionCancelled = { actionId, profileKey, userId, strategy, channel, reason, cancelledAt };
      // Two profiles that were one have the same action: each may stop it, with a record of its own.
      const id = `${profileKey}:${actionId}:cancelled`;
      return toRecord(data, { id, type: 'lifecycle.action.cancelled.v1', subject: profileKey, time: cancelledAt });
    },
  };
}
