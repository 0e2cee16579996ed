import type { PartitionAssigner } from 'kafkajs';
import { replaceKafkajsModule } from './kafkajs-internals.js';

/*
 * Static membership (KIP-345): a member of a group that has a name takes the place of the one that had it before, with its
 * partitions, at once and without a word to the others. kafkajs encodes the field in its requests and nobody fills it in.
 * A join finds the name at the group protocol, which is all that kafkajs hands through from a consumer's options; a
 * heartbeat finds it by the member id that the broker gave.
 */

const REQUESTS = 'kafkajs/src/protocol/requests';

interface JoinPayload {
  readonly groupProtocols: ReadonlyArray<{ readonly groupInstanceId?: string }>;
  readonly groupInstanceId?: string | undefined;
}

interface HeartbeatPayload {
  readonly memberId: string;
  readonly groupInstanceId?: string | undefined;
}

type CreateRequest<Payload> = (payload: Payload) => unknown;

const instanceIds = new Map<string, string>();

/** Fills in the names. */
export function installStaticMembership(): void {
  replaceKafkajsModule<CreateRequest<JoinPayload>>(`${REQUESTS}/joinGroup/v5/request.js`, (original) => (payload) => {
    const named = payload.groupProtocols.find(({ groupInstanceId }) => groupInstanceId !== undefined);
    return original({ ...payload, groupInstanceId: named?.groupInstanceId });
  });
  replaceKafkajsModule<CreateRequest<HeartbeatPayload>>(
    `${REQUESTS}/heartbeat/v3/request.js`,
    (original) => (payload) => original({ ...payload, groupInstanceId: instanceIds.get(payload.memberId) }),
  );
}

/** The same assigner for a member of this name. */
export function withInstanceId(assigner: PartitionAssigner, groupInstanceId: string): PartitionAssigner {
  return (options) => {
    const anonymous = assigner(options);
    return { ...anonymous, protocol: (subscription) => ({ ...anonymous.protocol(subscription), groupInstanceId }) };
  };
}

/** From now on this member's heartbeats carry its name, so that it learns when another takes it; gives the end of that. */
export function nameHeartbeats(memberId: string, groupInstanceId: string): () => void {
  instanceIds.set(memberId, groupInstanceId);
  return () => void instanceIds.delete(memberId);
}
